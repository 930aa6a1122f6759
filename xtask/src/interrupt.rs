//! Ctrl-C and termination: the foreground command is ended, and every guard gets to stop what it started.
//!
//! Each command runs in a process group of its own, so that its whole family can be ended, and so that the daemons a
//! task has started do not get the terminal's Ctrl-C before the command which is still using them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static FOREGROUND: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// Takes over SIGINT, SIGTERM and SIGHUP for the rest of the program.
pub(crate) fn watch() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot watch for signals")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            INTERRUPTED.store(true, Ordering::SeqCst);
            foreground(|groups| groups.iter().for_each(end_group));
        }
    });
    Ok(())
}

/// Fails if the user asked to stop.
pub(crate) fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        bail!("interrupted");
    }
    Ok(())
}

/// A process group which an interruption ends, for as long as this value lives.
pub(crate) struct Group(Pid);

impl Group {
    /// Counts the group led by `pid` among those to end.
    pub(crate) fn new(pid: Pid) -> Self {
        foreground(|groups| groups.insert(pid));
        if INTERRUPTED.load(Ordering::SeqCst) {
            end_group(&pid); // the signal came before this group was known
        }
        Self(pid)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        foreground(|groups| groups.remove(&self.0));
    }
}

fn foreground<T>(act: impl FnOnce(&mut BTreeSet<Pid>) -> T) -> T {
    act(&mut FOREGROUND.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A group that is gone already needs no ending.
fn end_group(pid: &Pid) {
    let _ = killpg(*pid, Signal::SIGTERM);
}
