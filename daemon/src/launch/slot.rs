//! The cgroup a run gets for its own, and when the next run may have it again.
//!
//! Making and removing cgroups costs as much as a small program's whole life. A cgroup that a run left
//! untouched, with little memory still charged, serves the next one: its peak is reset, and what it still
//! holds (slabs and pages that the kernel gives back when it likes) is subtracted.

use wbd_linux::cgroup::{CgroupError, MemoryUsage, Nest, RunCgroup};

/// Where what is charged has changed by less, in bytes, what is held is not added up anew.
const SLACK_BYTES: u64 = 64 * 1024;

/// Bytes a cgroup may still be charged with when the next run gets it: what the kernel has yet to free of a thousand small
/// processes a second is less.
const RESIDUE_BYTES: u64 = 32 * 1024 * 1024;

/// Gives each run a cgroup that holds nothing else. It is for one thread, which it puts where that thread's
/// children are to be born.
pub(crate) struct Slot {
    nest: Nest,
    current: Option<RunCgroup>,
    /// What the current one was charged with when it was last asked what it holds, and what that was.
    held: Option<(u64, u64)>,
    memory_limit: u64,
}

impl Slot {
    pub(crate) fn new(nest: Nest) -> Self {
        Self {
            nest,
            current: None,
            held: None,
            memory_limit: u64::MAX,
        }
    }

    /// Lets every run from now on have this much memory, in bytes. Where the kernel keeps no account of it, there
    /// is no limit.
    pub(crate) fn limit_memory(&mut self, bytes: u64) {
        if self.memory_limit != bytes {
            self.memory_limit = bytes;
            self.current.iter().for_each(RunCgroup::retire);
        }
    }

    /// The cgroup for the next run, and the bytes it already holds.
    pub(crate) fn ready(&mut self) -> Result<(&RunCgroup, u64), CgroupError> {
        let used = self.current.take();
        let charged = used.as_ref().map_or(Ok(None), charged_while_fresh)?;
        let (current, charged) = match (used, charged) {
            (Some(used), Some(charged)) => (used, charged),
            (used, _) => {
                self.held = None;
                let made = self.make()?;
                made.adopt_this_thread()?; // which takes it out of the one used before
                used.map_or(Ok(()), put_away)?;
                let charged = made.memory().and_then(|memory| memory.charged().ok());
                (made, charged.unwrap_or(0))
            }
        };
        let held = current.memory().map_or(0, |memory| self.held(memory, charged));
        Ok((self.current.insert(current), held))
    }

    /// The bytes a cgroup holds. They are added up anew, which takes the kernel a tenth of a small program's launch, only
    /// where what is charged has changed by more than the grain in which the kernel charges.
    fn held(&mut self, memory: &MemoryUsage, charged: u64) -> u64 {
        match self.held {
            Some((before, held)) if charged.abs_diff(before) < SLACK_BYTES => held,
            _ => {
                let held = memory.held().unwrap_or(0);
                self.held = Some((charged, held));
                held
            }
        }
    }

    /// A cgroup for a container, and its path as the engine wants to be told it: the engine puts the
    /// container inside, and this thread stays out. It must be put away after the run.
    pub(crate) fn for_container(&mut self) -> Result<(RunCgroup, String), CgroupError> {
        let made = self.make()?;
        Ok((made, self.nest.path_of_latest().display().to_string()))
    }

    fn make(&mut self) -> Result<RunCgroup, CgroupError> {
        let made = self.nest.make()?;
        if self.memory_limit != u64::MAX {
            made.memory()
                .map_or(Ok(()), |memory| memory.limit(self.memory_limit))?;
        }
        Ok(made)
    }

    /// The cgroup of the present run.
    pub(crate) fn current(&self) -> Option<&RunCgroup> {
        self.current.as_ref()
    }

    /// Removes the cgroup in use and lets the calling thread go home.
    pub(crate) fn close(&mut self) -> Result<(), CgroupError> {
        let Some(used) = self.current.take() else {
            return Ok(());
        };
        self.nest.release_this_thread()?;
        put_away(used)
    }
}

/// Removes a cgroup that no thread of ours is in, and ends what is inside.
pub(crate) fn put_away(used: RunCgroup) -> Result<(), CgroupError> {
    if used.is_populated()? {
        used.kill()?;
    }
    used.remove()
}

/// The bytes it is charged with, where the next run can have it.
fn charged_while_fresh(used: &RunCgroup) -> Result<Option<u64>, CgroupError> {
    if !used.is_untouched()? {
        return Ok(None);
    }
    let Some(memory) = used.memory() else {
        return Ok(Some(0));
    };
    let charged = memory.charged().ok();
    let little = charged.filter(|bytes| *bytes <= RESIDUE_BYTES);
    Ok(little.filter(|_| memory.reset_peak()))
}
