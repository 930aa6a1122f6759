//! The laboratory: what only one experiment at a time may use, and the one thread that uses it.
//!
//! The thread lives as long as the daemon and launches every target. For a moment after an experiment it stays
//! inside the version 1 memory cgroup that its children are born into, and the kernel side stays attached: to
//! undo either waits until every CPU has passed a quiet point, 70 ms, which neither the client nor the next of
//! a row of short experiments should pay.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use wbd_linux::gate::leave_seat;
use wbd_linux::process::let_go_of_code;
use wbd_linux::scheduling;

use crate::allowance::Allowance;
use crate::collect::kernel::Kernel;
use crate::launch::bias::Calibration;
use crate::launch::process::Launcher;
use crate::launch::slot::Slot;
use crate::store::Store;
use crate::targets::precompiled::Cache;
use crate::targets::runners::Runners;

/// How long the laboratory stays ready with nothing to do.
const LINGER: Duration = Duration::from_secs(1);

/// What only one experiment at a time may use.
pub(crate) struct Laboratory {
    /// What launches.
    pub(crate) launcher: Launcher,
    /// The kernel side.
    pub(crate) kernel: Kernel,
    /// Cgroups for runs.
    pub(crate) slot: Slot,
    /// Where runs are recorded.
    pub(crate) store: Store,
    /// Code compiled ahead of time.
    pub(crate) code: Cache,
    /// What is known of the engines' runners.
    pub(crate) runners: Runners,
    /// What each user may have.
    pub(crate) allowance: Allowance,
    /// How early first instructions are seen here.
    pub(crate) calibration: Calibration,
    /// The daemon's name, for the containers it makes.
    pub(crate) instance: String,
}

impl Laboratory {
    /// Detaches from the kernel, removes the cgroup in use, and holds no memory that only an experiment needs.
    fn rest(&mut self) {
        leave_seat();
        self.kernel.detach();
        let_go_of_code();
        if let Err(error) = self.slot.close() {
            tracing::warn!("the cgroup of the last run is left until the daemon ends: {error}");
        }
    }
}

type Work = Box<dyn FnOnce(&mut Laboratory) + Send>;

/// The thread that launches. Dropping it ends the thread, then the laboratory: its cgroups go.
pub(crate) struct LaunchThread {
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<Laboratory>>,
}

impl LaunchThread {
    pub(crate) fn start(laboratory: Laboratory) -> io::Result<Self> {
        let (work, given) = mpsc::channel();
        let thread = std::thread::Builder::new().name("wbd-launch".to_owned());
        let thread = thread.spawn(move || work_until_told(laboratory, &given))?;
        Ok(Self {
            work: Some(work),
            thread: Some(thread),
        })
    }

    /// Has the thread do this. What it answers with, the work brings along: a channel, dropped if it panics.
    pub(crate) fn give(&self, work: impl FnOnce(&mut Laboratory) + Send + 'static) {
        if let Some(thread) = &self.work {
            let _ = thread.send(Box::new(work)); // fails after the end only, when nobody waits any more
        }
    }

    /// Waits until all that was given is done, and removes every cgroup of the daemon's.
    pub(crate) fn end(&mut self) {
        self.work = None;
        let ended = self.thread.take().map(JoinHandle::join);
        drop(ended); // the thread has left its cgroup by ending, so that the slot can remove it
    }
}

impl Drop for LaunchThread {
    fn drop(&mut self) {
        self.end();
    }
}

fn work_until_told(mut laboratory: Laboratory, given: &Receiver<Work>) -> Laboratory {
    if let Err(error) = scheduling::launch_from_this_thread() {
        tracing::warn!("programs may start later than they could, see CAP_SYS_NICE: {error}");
    }
    loop {
        match next(given, &laboratory) {
            // A panic loses this work and no other; the panic's own message is in the log.
            Ok(work) => drop(catch_unwind(AssertUnwindSafe(|| work(&mut laboratory)))),
            Err(RecvTimeoutError::Timeout) => laboratory.rest(),
            Err(RecvTimeoutError::Disconnected) => return laboratory,
        }
    }
}

fn next(given: &Receiver<Work>, laboratory: &Laboratory) -> Result<Work, RecvTimeoutError> {
    if laboratory.kernel.is_attached() {
        return given.recv_timeout(LINGER);
    }
    given.recv().map_err(|_| RecvTimeoutError::Disconnected)
}
