//! How many processes and threads a cgroup may hold at once: the same two files in version 1 and version 2.

use std::fs;
use std::path::{Path, PathBuf};

use super::{CgroupError, write};

/// The `pids` controller's files of one cgroup.
#[derive(Debug)]
pub struct TaskLimit {
    directory: PathBuf,
}

impl TaskLimit {
    /// Lets the cgroup at `directory` hold `most` processes and threads at once. The kernel refuses to make more.
    pub(super) fn set(directory: &Path, most: u64) -> Result<Self, CgroupError> {
        let limit = directory.join("pids.max");
        write(&limit, &most.to_string()).map_err(CgroupError::at("write", &limit))?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// How often the kernel refused to make one so far; 0 where it does not say.
    #[must_use]
    pub fn refused(&self) -> u64 {
        let text = fs::read_to_string(self.directory.join("pids.events")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("max "));
        line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    }

    /// Sets no limit any more.
    pub fn lift(&self) {
        let _ = write(&self.directory.join("pids.max"), "max"); // it could be set before
    }
}
