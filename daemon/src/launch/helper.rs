//! A program that is run for its output and not measured: an engine's compiler.
//!
//! It goes through the same gate as a target, with the same rights, and is held to a time limit in a cgroup:
//! what it reads may be a stranger's.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::libc;
use nix::poll::{PollFd, PollFlags};
use wbd_linux::gate::{Gate, Program, take_freed};
use wbd_linux::inherited::Changes;
use wbd_linux::process::{Ended, descriptor, kill, reap};

use super::output::{Buffer, Printout, Stream};
use super::process::{HELD_UP, MeansError, end_all, null, system};
use super::slot::Slot;
use super::streams::wait_for_any;

/// A file in memory for what such a program prints.
pub(crate) fn scratch() -> io::Result<File> {
    let made = nix::sys::memfd::memfd_create("wbd", nix::sys::memfd::MFdFlags::MFD_CLOEXEC)?;
    Ok(made.into())
}

/// How long such a program may take, and how many bytes its output may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long it may take.
    pub(crate) time: Duration,
    /// How many bytes its output may have.
    pub(crate) output_bytes: u64,
}

/// Runs `program` with its output going to the file `output`; fails with what it said, or with why it did not run.
pub(crate) fn run(
    slot: &mut Slot,
    program: &Program,
    output: &File,
    bounds: Bounds,
) -> Result<Result<(), String>, MeansError> {
    let null = null()?;
    let mut changes = Changes::default();
    changes.limit_files(bounds.output_bytes);
    let program = program.clone().with(changes);
    let mut said = Stream::open().map_err(system("make a pipe"))?;
    let (cgroup, _) = slot.ready()?;
    let stdio = [null.as_fd(), output.as_fd(), said.writer()];
    let child = match Gate::default().launch(&program, stdio, cgroup.directory().as_fd(), &[]) {
        Ok(child) => child,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let descriptor = descriptor(child.pid).map_err(system("wait for a compiler"))?;
    let in_time = wait(&descriptor, &mut said, bounds.time)?;
    if !in_time {
        end_all(slot)?;
        kill(&descriptor);
    }
    let ended = reap(child.pid).map_err(system("wait for a compiler"))?;
    Ok(match (in_time, ended) {
        _ if take_freed() => Err(HELD_UP.to_owned()),
        (false, _) => Err(format!("was not done after {} s", bounds.time.as_secs_f64())),
        (true, Ended::Signal(libc::SIGXFSZ)) => Err(format!(
            "made more than the {} MiB that it may",
            bounds.output_bytes >> 20
        )),
        (true, Ended::Code(0)) => Ok(()),
        (true, _) => Err(last_words(&said.printout, ended)),
    })
}

/// Reads what the program says until it has ended; false where that takes too long.
fn wait(ended: &OwnedFd, said: &mut Stream, limit: Duration) -> Result<bool, MeansError> {
    let deadline = Instant::now() + limit;
    let mut buffer = Buffer::default();
    loop {
        let mut fds = [ended.as_fd(), said.reader()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        let left = deadline.saturating_duration_since(Instant::now());
        wait_for_any(&mut fds, left).map_err(system("wait for a compiler"))?;
        let [ended, spoke] = fds.map(|fd| fd.any().unwrap_or(true));
        if spoke {
            said.read(&mut buffer)
                .map_err(system("read what a compiler says"))?;
        } else if ended {
            return Ok(true);
        } else if Instant::now() >= deadline {
            return Ok(false);
        }
    }
}

fn last_words(said: &Printout, ended: Ended) -> String {
    let text = said.tail();
    if text.is_empty() {
        format!("ended without a word: {ended:?}")
    } else {
        text
    }
}
