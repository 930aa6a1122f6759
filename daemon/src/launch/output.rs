//! What a target prints: read from a pipe while it runs, hashed and forgotten.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::OFlag;
use xxhash_rust::xxh3::Xxh3;

use super::observed::{Observed, Printed};

/// Bytes read at once; the size of a pipe.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes kept of the end of what was printed.
const TAIL_BYTES: usize = 2048;

/// What was printed on one stream: its length, its hash, its end.
#[derive(Clone, Default)]
pub(crate) struct Printout {
    bytes: u64,
    hash: Xxh3,
    tail: Vec<u8>,
}

impl Printout {
    /// Adds what comes next.
    pub(crate) fn take(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        self.hash.update(chunk);
        self.tail
            .extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL_BYTES)..]);
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The end of what was printed.
    pub(crate) fn tail(&self) -> String {
        String::from_utf8_lossy(&self.tail).trim().to_owned()
    }

    /// Writes down what was printed on standard output and standard error.
    pub(crate) fn report(out: &Self, err: &Self, observed: &mut Observed) {
        let xxh3 = format!("{:032x}", out.hash.digest128());
        observed.output = Printed {
            bytes: out.bytes,
            xxh3,
            error_bytes: err.bytes,
        };
        observed.stderr = err.tail();
    }
}

/// One of a target's output streams, through a pipe.
pub(crate) struct Stream {
    /// Our end; none once the other ends are all closed.
    pipe: Option<File>,
    /// What came through it.
    pub(crate) printout: Printout,
}

impl Stream {
    /// A stream and the end that the target writes to.
    pub(crate) fn open() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        Ok((
            Self {
                pipe: Some(File::from(ours)),
                printout: Printout::default(),
            },
            theirs,
        ))
    }

    /// The descriptor to wait for; none when all was read.
    pub(crate) fn pending(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(File::as_fd)
    }

    /// Reads what a poll said is there.
    pub(crate) fn read(&mut self, buffer: &mut Buffer) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        match pipe.read(&mut buffer.0)? {
            0 => self.pipe = None,
            bytes => self.printout.take(&buffer.0[..bytes]),
        }
        Ok(())
    }
}

/// Room for what is read at once; one for all streams and runs.
pub(crate) struct Buffer(Box<[u8]>);

impl Default for Buffer {
    fn default() -> Self {
        Self(vec![0; CHUNK_BYTES].into_boxed_slice())
    }
}
