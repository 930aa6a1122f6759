//! What a run's thread waits for: the target's end and its output, events of the kernel side, and the word to end early.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::output::{Buffer, Printout, Stream};
use crate::collect::kernel::Kernel;
use crate::session::cancel::Cancel;

/// The target's output streams.
pub(super) struct Streams {
    pub(super) out: Stream,
    pub(super) err: Stream,
}

/// What a poll found.
#[derive(Clone, Copy, Default)]
pub(super) struct Ready {
    pub(super) ended: bool,
    pub(super) ring: bool,
    pub(super) cancelled: bool,
    out: bool,
    err: bool,
}

impl Streams {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            out: Stream::open()?,
            err: Stream::open()?,
        })
    }

    /// Takes pipes that no target has.
    pub(super) fn renew(&mut self) -> io::Result<()> {
        self.out.renew()?;
        self.err.renew()
    }

    pub(super) fn poll(
        &self,
        descriptor: &OwnedFd,
        kernel: &Kernel,
        cancel: &Cancel,
        left: Duration,
    ) -> io::Result<Ready> {
        let readers = [
            descriptor.as_fd(),
            kernel.wakeup(),
            cancel.as_fd(),
            self.out.reader(),
            self.err.reader(),
        ];
        let mut fds = readers.map(|reader| PollFd::new(reader, PollFlags::POLLIN));
        wait_for_any(&mut fds, left)?;
        let [ended, ring, cancelled, out, err] = fds.map(|fd| fd.any().unwrap_or(true));
        Ok(Ready {
            ended,
            ring,
            cancelled,
            out,
            err,
        })
    }

    pub(super) fn read(&mut self, ready: Ready, buffer: &mut Buffer) -> io::Result<()> {
        if ready.out {
            self.out.read(buffer)?;
        }
        if ready.err {
            self.err.read(buffer)?;
        }
        Ok(())
    }

    /// Reads what is left once all writers are gone; what was printed on either, for a new run to begin.
    pub(super) fn finish(&mut self, buffer: &mut Buffer) -> io::Result<[Printout; 2]> {
        Stream::drain([&mut self.out, &mut self.err], buffer)?;
        Ok([&mut self.out, &mut self.err].map(|stream| std::mem::take(&mut stream.printout)))
    }
}

pub(super) fn wait_for_any(fds: &mut [PollFd<'_>], left: Duration) -> io::Result<()> {
    let millis = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
    // Rounded up, so that a wait never ends just before its deadline and spins.
    let round_up = i32::from(!left.subsec_nanos().is_multiple_of(1_000_000));
    let timeout = PollTimeout::try_from(millis.saturating_add(round_up)).unwrap_or(PollTimeout::MAX);
    match poll(fds, timeout) {
        Err(nix::Error::EINTR) | Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
