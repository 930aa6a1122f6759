//! CPU time of a run of a process, by the kernel's own account.
//!
//! Until a process that has ended is reaped, its clock can be read: it tells of the process and its threads to the
//! nanosecond. What the process made is in its cgroup's account alone, which tells to the microsecond. From either the
//! time is taken off that the child used behind the gate, before it was the target.

use nix::unistd::Pid;
use procfs::process::Process;
use wbd_abi::RunState;
use wbd_linux::cgroup::RunCgroup;
use wbd_linux::clock::process_cpu_ns;
use wbd_linux::gate::Child;

/// What is known before the launch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    of_cgroup_ns: Option<u64>,
}

/// What is known of the target when it has ended and is not yet reaped.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ended {
    target_ns: Option<u64>,
    /// Of its main thread alone.
    pub(super) main_thread_ns: Option<u64>,
    gate_ns: u64,
}

impl Before {
    /// Of a run that is to begin in this cgroup.
    pub(super) fn launch(cgroup: &RunCgroup) -> Self {
        Self {
            of_cgroup_ns: cgroup.cpu_ns(),
        }
    }
}

impl Ended {
    /// Of a target that has ended; `state` tells whether it had threads.
    pub(super) fn read(child: &Child, state: &RunState) -> Self {
        let gate_ns = child.cpu_before_ns;
        let target = process_cpu_ns(child.pid.as_raw()).ok();
        let target_ns = target.map(|ns| ns.saturating_sub(gate_ns));
        let main_thread_ns = if state.threads == 0 {
            target_ns
        } else {
            main_thread(child.pid).map(|ns| ns.saturating_sub(gate_ns))
        };
        Self {
            target_ns,
            main_thread_ns,
            gate_ns,
        }
    }

    /// The target's and, where it made processes, theirs, once all are gone.
    pub(super) fn of_all(self, state: &RunState, cgroup: Option<&RunCgroup>, before: Before) -> Option<u64> {
        if state.forks == 0 {
            return self.target_ns;
        }
        let used = cgroup?.cpu_ns()?.checked_sub(before.of_cgroup_ns?)?;
        Some(used.saturating_sub(self.gate_ns))
    }
}

/// What the main thread of a process that is not yet reaped has used, threads of its own left out.
fn main_thread(pid: Pid) -> Option<u64> {
    let schedule = Process::new(pid.as_raw()).and_then(|process| process.schedstat());
    Some(schedule.ok()?.sum_exec_runtime)
}
