//! A running daemon.

use std::fs;
use std::os::unix::net::UnixStream;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::client::Client;
use crate::remains::Held;
use crate::{Answer, Home, wait};

/// A running daemon. Dropping it stops it and checks that nothing is left of it.
#[derive(Debug)]
pub struct Daemon<'a> {
    home: &'a Home,
    process: Option<Client>,
}

impl<'a> Daemon<'a> {
    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// Where it ends instead.
    #[must_use]
    #[track_caller]
    pub fn start(home: &'a Home, command: &mut Command) -> Self {
        let mut process = Client::spawn(command);
        let is_there = || UnixStream::connect(home.socket()).is_ok();
        wait::until("the daemon listens", || is_there() || !process.is_busy());
        if !process.is_busy() {
            panic!("the daemon ended at once: {:#?}", process.answer());
        }
        Self {
            home,
            process: Some(process),
        }
    }

    /// Its process id.
    ///
    /// # Panics
    /// Never: it lives as long as this value.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("it lives").pid()
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// Never: it lives as long as this value.
    pub fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("it lives").signal(signal);
    }

    /// What it holds of the machine now.
    #[must_use]
    pub fn holds(&self) -> Held {
        Held::by(self.pid(), &self.home.state())
    }

    /// Kills it without a word; tells what it held.
    ///
    /// # Panics
    /// Never: it lives as long as this value.
    pub fn kill(mut self) -> Held {
        let held = self.holds();
        drop(self.process.take());
        held
    }

    /// Stops it and checks that nothing is left of it; returns what it had to say.
    ///
    /// # Panics
    /// Where something is left of it, or it ended badly.
    pub fn stop(mut self) -> Answer {
        self.end()
    }

    fn end(&mut self) -> Answer {
        let held = self.holds();
        let process = self.process.take().expect("it lives");
        process.signal(Signal::SIGTERM);
        let answer = process.answer().expect(0);
        assert_nothing_left(self.home, &held);
        answer
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        match self.process.take() {
            Some(process) if std::thread::panicking() => {
                process.signal(Signal::SIGTERM);
                eprintln!("the daemon said: {}", process.answer().stderr);
            }
            Some(process) => {
                self.process = Some(process);
                self.end();
            }
            None => {}
        }
    }
}

/// Checks that nothing is left of a daemon that has ended.
///
/// # Panics
/// Where something is.
pub fn assert_nothing_left(home: &Home, held: &Held) {
    let left = wait::until_or_last(|| held.left(), Vec::is_empty);
    assert!(left.is_empty(), "this is left: {left:?}");
    assert_eq!(home.processes(), [0; 0], "processes of runs live on");
    assert!(!home.socket().exists(), "the socket is still there");
    let code = fs::read_dir(home.state().join("code")).expect("the state directory has one");
    let unfinished: Vec<_> = code
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_none_or(|ending| ending != "code"))
        .collect();
    assert!(unfinished.is_empty(), "temporary files are left: {unfinished:?}");
}
