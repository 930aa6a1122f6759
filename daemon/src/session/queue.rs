//! One experiment at a time: two at once would measure each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Mutex, OwnedMutexGuard};

/// Guards what only one experiment may use, first come first served.
pub(crate) struct Queue<T> {
    inner: Arc<Mutex<T>>,
    waiting: Arc<AtomicU32>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            waiting: Arc::clone(&self.waiting),
        }
    }
}

/// A place in the queue; dropping it gives it up.
struct Place(Arc<AtomicU32>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One's turn; dropping it lets the next one in.
pub(crate) struct Turn<T> {
    /// What is guarded.
    pub(crate) guarded: OwnedMutexGuard<T>,
    _place: Place,
}

impl<T> Queue<T> {
    pub(crate) fn new(guarded: T) -> Self {
        Self {
            inner: Arc::new(Mutex::new(guarded)),
            waiting: Arc::new(AtomicU32::new(0)),
        }
    }

    /// One's turn at once, or none where somebody has it.
    pub(crate) fn try_enter(&self) -> Option<Turn<T>> {
        let guarded = Arc::clone(&self.inner).try_lock_owned().ok()?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Some(Turn {
            guarded,
            _place: Place(Arc::clone(&self.waiting)),
        })
    }

    /// Queues up; tells how many come before, and then waits for its turn.
    pub(crate) fn enter(&self) -> (u32, impl Future<Output = Turn<T>> + use<T>) {
        let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.waiting));
        let inner = Arc::clone(&self.inner);
        (ahead, async move {
            Turn {
                guarded: inner.lock_owned().await,
                _place: place,
            }
        })
    }
}
