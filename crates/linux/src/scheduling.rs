//! How the thread that launches is scheduled: before others, and never in the way of what it has launched.
//!
//! At the usual priority it distorts what it measures, in two ways. It sleeps while its child executes a program, and
//! the kernel's fair scheduler (from Linux 6.12) keeps a thread that sleeps after more than its share in the queue of
//! its CPU. The CPU then seems busy, so that `execve` moves the child to another one, which on a virtual machine must
//! be woken: 35 us of a small program's startup. And when the new image is in place, the woken thread takes the CPU
//! from it for 5 us. With a high priority it has no share to exceed, and as a batch thread it interrupts nobody.

use std::io;

use nix::unistd::gettid;

/// The highest priority of threads that share CPUs fairly.
const HIGHEST_PRIORITY: libc::c_int = -20;

const THIS_THREAD: libc::pid_t = 0;

/// Has the calling thread scheduled so. Its children start with a nice value of 0, and those of the gate with the
/// ordinary policy.
///
/// # Errors
/// Without `CAP_SYS_NICE`. Launches are then possible as well, with the two distortions.
pub fn launch_from_this_thread() -> io::Result<()> {
    let nothing = libc::sched_param { sched_priority: 0 };
    let policy = libc::SCHED_BATCH | libc::SCHED_RESET_ON_FORK;
    // SAFETY: takes a whole structure and plain numbers, and concerns the calling thread alone.
    let results = unsafe {
        [
            libc::sched_setscheduler(THIS_THREAD, policy, &raw const nothing),
            libc::setpriority(
                libc::PRIO_PROCESS,
                gettid().as_raw().cast_unsigned(),
                HIGHEST_PRIORITY,
            ),
        ]
    };
    if results.contains(&-1) {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The nice value of children of the calling thread, whose own is `nice`.
pub(crate) fn nice_of_children(nice: i32) -> i32 {
    // SAFETY: takes a plain number.
    let policy = unsafe { libc::sched_getscheduler(THIS_THREAD) };
    let afresh = policy >= 0 && policy & libc::SCHED_RESET_ON_FORK != 0;
    if afresh { nice.max(0) } else { nice }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;
    use std::os::fd::AsFd as _;
    use std::thread;

    use super::*;
    use crate::cgroup::Hierarchies;
    use crate::gate::{Gate, Identity, Program};
    use crate::inherited::Inherited;
    use crate::process::reap;

    /// What `cut` prints of its own `stat`: 19 is the nice value, 41 the policy, as proc(5) counts.
    fn nice_and_policy_of_a_child() -> String {
        let root = Identity {
            uid: 0,
            gid: 0,
            groups: Vec::new(),
        };
        let words = ["cut", "-d", " ", "-f", "19,41", "/proc/self/stat"].map(str::to_owned);
        let program = Program::new("/usr/bin/cut", &words, &[], "/", root).unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        let null = File::open("/dev/null").unwrap();
        let stdio = [null.as_fd(), writer.as_fd(), null.as_fd()];
        let cgroup = File::open(Hierarchies::detect().unwrap().unified).unwrap();
        let child = Gate::default()
            .launch(&program, stdio, cgroup.as_fd(), &[])
            .unwrap();
        reap(child.pid).unwrap();
        drop(writer);
        let mut told = String::new();
        reader.read_to_string(&mut told).unwrap();
        told
    }

    /// Needs root.
    #[test]
    fn a_thread_that_launches_hands_down_neither_priority_nor_policy() {
        let launching = thread::spawn(|| {
            launch_from_this_thread().unwrap();
            (
                nice_and_policy_of_a_child(),
                Inherited::of_this_thread().unwrap().nice(),
            )
        });
        let (child, told) = launching.join().unwrap();
        assert_eq!(child.trim(), "0 0", "nice value and policy of a child");
        assert_eq!(told, 0, "nice value as it is told");
    }
}
