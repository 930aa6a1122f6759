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

/// Has the calling thread scheduled so. Its children start with the ordinary policy and a nice value of 0.
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
    use std::process::Command;
    use std::thread;

    use super::*;
    use crate::inherited::Inherited;

    /// Needs root.
    #[test]
    fn a_thread_that_launches_hands_down_neither_priority_nor_policy() {
        let launching = thread::spawn(|| {
            launch_from_this_thread().unwrap();
            // Fields of a process's own `stat`, as proc(5) counts them: 19 is the nice value, 41 the policy.
            let child = Command::new("cut")
                .args(["-d", " ", "-f", "19,41", "/proc/self/stat"])
                .output();
            let told = Inherited::of_this_thread().unwrap().nice();
            (String::from_utf8(child.unwrap().stdout).unwrap(), told)
        });
        let (child, told) = launching.join().unwrap();
        assert_eq!(child.trim(), "0 0", "nice value and policy of a child");
        assert_eq!(told, 0, "nice value as it is told");
    }
}
