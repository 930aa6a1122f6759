//! Whether somebody is in the gate, for a thread that does not wait there.
//!
//! Between `clone3` and `execve` the child has its caller's rights already, and its caller can hold it up: stop it by a
//! signal, or have its program lie where opening waits (a lease, a file system of their own). The launching thread then
//! waits in the kernel, and can neither look at a clock nor be told anything.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Even while nobody is in the gate; one more with each who enters or leaves it.
static PASSAGES: AtomicU64 = AtomicU64::new(0);

/// Whether a child was killed to free the gate.
static FREED: AtomicBool = AtomicBool::new(false);

/// Marks the gate as entered until it is dropped.
pub(super) struct Passage(());

impl Passage {
    pub(super) fn enter() -> Self {
        PASSAGES.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        PASSAGES.fetch_add(1, Ordering::Relaxed);
    }
}

/// The number of the launch that is in the gate of this process now, if one is. Who sees the same number twice sees the
/// same launch.
///
/// It is right where one thread launches.
#[must_use]
pub fn launch_in_the_gate() -> Option<u64> {
    let passages = PASSAGES.load(Ordering::Relaxed);
    (passages % 2 == 1).then_some(passages)
}

/// Notes that the child in the gate was killed for holding it up.
pub fn note_freed() {
    FREED.store(true, Ordering::Relaxed);
}

/// Whether a child was killed for holding the gate up since this was last asked.
#[must_use]
pub fn take_freed() -> bool {
    FREED.load(Ordering::Relaxed) && FREED.swap(false, Ordering::Relaxed)
}
