//! What a target prints: read from a pipe while it runs, hashed and forgotten.
//!
//! One pipe serves the runs of an experiment, since to make and close one costs a run 5 us. The daemon keeps the writing end, too: a
//! pipe whose last writer goes wakes up its reader, in the middle of the target's exit. So nothing tells
//! that all writers are gone but the run's cgroup, which is empty then. A process that passed its end to
//! one outside, or left its cgroup (only root's can), may print into a later run of its own experiment.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use xxhash_rust::xxh3::Xxh3;

use super::observed::{Observed, Printed};

/// Bytes read at once; the size of a pipe.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that a pipe holds where its writer made it as large as Linux lets it.
const PIPE_CHUNKS: usize = 16;
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
    ours: File,
    theirs: OwnedFd,
    /// What came through it in this run.
    pub(crate) printout: Printout,
}

impl Stream {
    pub(crate) fn open() -> io::Result<Self> {
        let (ours, theirs) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        Ok(Self {
            ours: File::from(ours),
            theirs,
            printout: Printout::default(),
        })
    }

    /// Takes another pipe, which no target has. The end that a target writes to keeps its number.
    pub(crate) fn renew(&mut self) -> io::Result<()> {
        let (ours, theirs) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        nix::unistd::dup3(theirs, &mut self.theirs, OFlag::O_CLOEXEC)?;
        self.ours = File::from(ours);
        self.printout = Printout::default();
        Ok(())
    }

    /// The end that a target writes to.
    pub(crate) fn writer(&self) -> BorrowedFd<'_> {
        self.theirs.as_fd()
    }

    /// Readable when something was printed.
    pub(crate) fn reader(&self) -> BorrowedFd<'_> {
        self.ours.as_fd()
    }

    /// Reads what a poll said is there.
    pub(crate) fn read(&mut self, buffer: &mut Buffer) -> io::Result<()> {
        let bytes = self.ours.read(&mut buffer.0)?;
        self.printout.take(&buffer.0[..bytes]);
        Ok(())
    }

    /// Reads what is left of these once all writers are gone: no more than pipes can hold, lest a writer outside keep us
    /// reading for ever.
    pub(crate) fn drain(streams: [&mut Self; 2], buffer: &mut Buffer) -> io::Result<()> {
        for _ in 0..PIPE_CHUNKS {
            let [first, second] = has_more(streams.each_ref().map(|stream| stream.reader()))?;
            if first {
                streams[0].read(buffer)?;
            }
            if second {
                streams[1].read(buffer)?;
            }
            if !first && !second {
                break;
            }
        }
        Ok(())
    }
}

fn has_more(readers: [BorrowedFd<'_>; 2]) -> io::Result<[bool; 2]> {
    let mut fds = readers.map(|reader| PollFd::new(reader, PollFlags::POLLIN));
    poll(&mut fds, PollTimeout::ZERO)?;
    Ok(fds.map(|fd| fd.any().unwrap_or(false)))
}

/// Room for what is read at once; one for all streams and runs.
pub(crate) struct Buffer(Box<[u8]>);

impl Default for Buffer {
    fn default() -> Self {
        Self(vec![0; CHUNK_BYTES].into_boxed_slice())
    }
}
