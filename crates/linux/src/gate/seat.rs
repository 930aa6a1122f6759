//! Keeps the launching thread on the CPU it is on while it makes a child.
//!
//! The kernel would place a new task on the idlest CPU. Until its `execve` the parent waits for it, so that the two
//! never run at once, and a CPU that has to be woken from its sleep costs more than all else in a small program's
//! launch: on a virtual machine some 50 us. A child of a thread that is bound to one CPU is born there. It takes back
//! all CPUs before it executes anything ([`super::settings`]), and the kernel places the program anew at `execve`.

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

const THIS_THREAD: Pid = Pid::from_raw(0);

/// A thread that stays where it is. Dropping it lets the thread go wherever it could before.
pub(super) struct Seat {
    /// The CPUs it had before.
    home: CpuSet,
}

impl Seat {
    /// Stays; `None` where the kernel does not let it, or has more CPUs than fit in a [`CpuSet`]: then the child is
    /// born anywhere, and nothing else is different.
    pub(super) fn take() -> Option<Self> {
        let home = sched_getaffinity(THIS_THREAD).ok()?;
        let mut here = CpuSet::new();
        here.set(sched_getcpu().ok()?).ok()?;
        sched_setaffinity(THIS_THREAD, &here).ok()?;
        Some(Self { home })
    }

    /// The CPUs it had before, as the kernel takes them.
    pub(super) fn home(&self) -> (*const usize, usize) {
        ((&raw const self.home).cast(), size_of::<CpuSet>())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = sched_setaffinity(THIS_THREAD, &self.home); // it was allowed these a moment ago
    }
}
