//! How an experiment is told to end early: its client went away, or the daemon is to stop.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::watch;

/// A flag that can be asked, awaited, and waited for like a file.
#[derive(Clone, Debug)]
pub(crate) struct Cancel {
    descriptor: Arc<EventFd>,
    raised: Arc<watch::Sender<bool>>,
}

impl Cancel {
    pub(crate) fn new() -> std::io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let descriptor = Arc::new(EventFd::from_value_and_flags(0, flags)?);
        Ok(Self {
            descriptor,
            raised: Arc::new(watch::Sender::new(false)),
        })
    }

    /// Raises the flag, for good.
    pub(crate) fn cancel(&self) {
        self.raised.send_replace(true);
        let _ = self.descriptor.write(1); // fails only where it is readable already
    }

    /// Whether the flag is raised.
    pub(crate) fn is_cancelled(&self) -> bool {
        *self.raised.borrow()
    }

    /// Waits until the flag is raised.
    pub(crate) async fn cancelled(&self) {
        let _ = self.raised.subscribe().wait_for(|raised| *raised).await;
    }
}

impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
