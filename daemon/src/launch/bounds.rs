//! What a run met that it may not have: memory, processes, and a machine that sleeps.

use wbd_abi::RunState;
use wbd_linux::cgroup::{MOST_TASKS, RunCgroup};
use wbd_linux::clock::Suspended;

use super::process::Limits;

/// Whether the kernel ended a process of the run for want of memory.
pub(super) fn starved(cgroup: &RunCgroup, limits: Limits) -> Option<String> {
    let ended = cgroup.memory().is_some_and(|memory| memory.oom_kills() > 0);
    ended.then(|| {
        cgroup.retire(); // the kernel goes on counting
        format!(
            "needed more than the {} MiB of memory that a run may have, and the kernel ended it; see --memory-limit",
            limits.memory_bytes / (1024 * 1024)
        )
    })
}

/// Whether the kernel refused the run another process or thread.
pub(super) fn crowded(cgroup: &RunCgroup, state: RunState) -> Option<String> {
    if state.forks + state.threads < MOST_TASKS / 2 {
        return None; // it cannot have reached the limit, also if half of what it made was not seen
    }
    let tasks = cgroup.tasks()?;
    let refused = tasks.refused();
    // In version 1 this thread lives in it, and needs threads though what was killed there is not all reaped yet.
    tasks.lift();
    cgroup.retire();
    (refused > 0).then(|| {
        format!("wanted more than the {MOST_TASKS} processes and threads at once that a run may have")
    })
}

/// Whether the machine slept since then: what is warm and what is due is then no longer what it was.
pub(super) fn asleep(before: Suspended) -> Option<String> {
    let slept = Suspended::so_far().since(before);
    (slept > 0).then(|| {
        let seconds = slept as f64 / 1e9;
        format!("the machine was suspended for {seconds:.1} s in this run, which its figures do not count")
    })
}
