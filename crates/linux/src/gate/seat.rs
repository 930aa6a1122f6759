//! Keeps the launching thread on the CPU it is on while it makes a child.
//!
//! The kernel would place a new task on the idlest CPU. Until its `execve` the parent waits for it, so that the two
//! never run at once, and a CPU that has to be woken from its sleep costs more than all else in a small program's
//! launch: on a virtual machine some 50 us. A child of a thread that is bound to one CPU is born there. It takes back
//! all CPUs before it executes anything ([`super::settings`]), and the kernel places the program anew at `execve`.
//!
//! Binding a thread and letting it go costs 5 us. So it keeps its seat over some launches; then it sleeps through one
//! unbound, and the kernel may wake it where there is less going on.

use std::cell::RefCell;

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

const THIS_THREAD: Pid = Pid::from_raw(0);
/// Launches from one seat.
const LAUNCHES: u32 = 64;

thread_local! {
    /// The seat of this thread, whichever gate it launches through.
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
}

/// A thread that stays where it is.
struct Seat {
    /// The CPUs it had before.
    home: CpuSet,
    launches: u32,
}

/// Has the calling thread stay where it is, and tells which CPUs it had before; `None` where the kernel does not let
/// it, or has more CPUs than fit in a [`CpuSet`]: then the child is born anywhere, and nothing else is different.
pub(super) fn take() -> Option<CpuSet> {
    SEAT.with_borrow_mut(|seat| {
        *seat = seat.take().or_else(Seat::here);
        seat.as_ref().map(|seat| seat.home)
    })
}

/// Counts a launch, and gives the seat up after some.
pub(super) fn launched() {
    SEAT.with_borrow_mut(|seat| {
        if let Some(taken) = seat {
            taken.launches += 1;
            if taken.launches == LAUNCHES {
                *seat = None;
            }
        }
    });
}

/// Has the calling thread give up the CPU that it launches from: it has its own CPUs again, and so have threads that it
/// makes. The next launch takes a seat anew.
pub fn leave() {
    SEAT.take();
}

impl Seat {
    fn here() -> Option<Self> {
        let home = sched_getaffinity(THIS_THREAD).ok()?;
        let mut here = CpuSet::new();
        here.set(sched_getcpu().ok()?).ok()?;
        sched_setaffinity(THIS_THREAD, &here).ok()?;
        Some(Self { home, launches: 0 })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = sched_setaffinity(THIS_THREAD, &self.home); // it was allowed these a moment ago
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpus_of_this_thread() -> CpuSet {
        sched_getaffinity(THIS_THREAD).unwrap()
    }

    #[test]
    fn a_seat_is_kept_over_some_launches_and_given_up() {
        let own = cpus_of_this_thread();
        for _ in 0..LAUNCHES {
            assert_eq!(take(), Some(own));
            launched();
        }
        assert_eq!(cpus_of_this_thread(), own);
        take();
        leave();
        assert_eq!(cpus_of_this_thread(), own);
    }
}
