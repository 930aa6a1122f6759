//! A program that works while the test looks on, within the one budget.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Answer, wait};

/// A program that works while the test looks on. Dropping it ends it.
///
/// What it prints goes to files, which are never full, and no terminal.
#[derive(Debug)]
pub struct Client {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Client {
    /// Starts it.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().expect("a temporary file"));
        let share = |file: &File| file.try_clone().expect("a descriptor more");
        command.stdout(share(&stdout)).stderr(share(&stderr));
        let child = command.stdin(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// Where it has been waited for.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().cast_signed()), signal).expect("a child of ours");
    }

    /// Whether it still works.
    ///
    /// # Panics
    /// Where the kernel does not know it.
    pub fn is_busy(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where it does not come.
    #[track_caller]
    pub fn answer(mut self) -> Answer {
        wait::until(&format!("process {} ends", self.pid()), || !self.is_busy());
        Answer::from(Output {
            status: self.child.wait().expect("a child of ours"),
            stdout: content(&mut self.stdout),
            stderr: content(&mut self.stderr),
        })
    }
}

fn content(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    read.expect("a temporary file can be read");
    bytes
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
    }
}
