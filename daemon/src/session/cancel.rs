//! How an experiment is told to end early: its client went away, or the daemon is to stop.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::sys::eventfd::{EfdFlags, EventFd};

/// A flag that can be waited for like a file.
#[derive(Clone, Debug)]
pub(crate) struct Cancel(Arc<EventFd>);

impl Cancel {
    pub(crate) fn new() -> std::io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self(Arc::new(EventFd::from_value_and_flags(0, flags)?)))
    }

    /// Raises the flag, for good.
    pub(crate) fn cancel(&self) {
        let _ = self.0.write(1); // fails only where it is raised already, many times over
    }

    /// Whether the flag is raised.
    pub(crate) fn is_cancelled(&self) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }
}

impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
