//! Makes the processes of a cgroup stand still for a moment, without their noticing.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::run::members;
use super::{CgroupError, write};

/// How long processes may take to stand still: one that waits for a disk does not before it has what it waits for.
const BUDGET: Duration = Duration::from_millis(50);

/// The freezer of a run's cgroup.
#[derive(Clone, Debug)]
pub struct Freezer {
    cgroup: PathBuf,
}

/// Processes stand still until this is dropped.
#[derive(Debug)]
pub struct Frozen<'a>(&'a Freezer);

impl Freezer {
    pub(super) fn of(cgroup: PathBuf) -> Self {
        Self { cgroup }
    }

    /// Processes inside.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        members(&self.cgroup)
    }

    /// Has all processes inside stand still.
    ///
    /// # Errors
    ///
    /// The cgroup has gone, or they go on for longer than a moment; then nothing is held up.
    pub fn freeze(&self) -> Result<Frozen<'_>, CgroupError> {
        self.set("1")?;
        let frozen = Frozen(self);
        let begin = Instant::now();
        let events = self.cgroup.join("cgroup.events");
        loop {
            let text = std::fs::read_to_string(&events).map_err(CgroupError::at("read", &events))?;
            if text.contains("frozen 1") {
                return Ok(frozen);
            }
            if begin.elapsed() > BUDGET {
                let error = io::Error::new(io::ErrorKind::TimedOut, "processes do not stand still");
                return Err(CgroupError::at("freeze", &self.cgroup)(error));
            }
            std::thread::yield_now();
        }
    }

    fn set(&self, state: &str) -> Result<(), CgroupError> {
        let file = self.cgroup.join("cgroup.freeze");
        write(&file, state).map_err(CgroupError::at("write", &file))
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        let _ = self.0.set("0"); // a cgroup that has gone holds nobody up
    }
}
