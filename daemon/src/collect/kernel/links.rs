//! Attachments, which end when they are dropped.

use std::thread::Builder;

/// Attachments of one kind. Dropping them detaches all at once: for each of some kinds the kernel waits 70 ms
/// until no CPU can be inside.
pub(in crate::collect) struct Links<T: Send>(Vec<T>);

impl<T: Send> Default for Links<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Send> FromIterator<T> for Links<T> {
    fn from_iter<I: IntoIterator<Item = T>>(links: I) -> Self {
        Self(links.into_iter().collect())
    }
}

impl<T: Send> Links<T> {
    pub(in crate::collect) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::collect) fn push(&mut self, link: T) {
        self.0.push(link);
    }
}

impl<T: Send> Drop for Links<T> {
    fn drop(&mut self) {
        std::thread::scope(|threads| {
            for link in self.0.drain(..) {
                // Where no thread can be made, the link is dropped here, one after the other.
                let _ = Builder::new().spawn_scoped(threads, move || drop(link));
            }
        });
    }
}
