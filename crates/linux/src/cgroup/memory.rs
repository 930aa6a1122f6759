//! Memory charged to a cgroup: the same three questions to version 1 and version 2.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::CgroupError;

/// The memory files of one cgroup, held open: a run is launched often.
#[derive(Debug)]
pub struct MemoryUsage {
    usage: File,
    peak: Option<File>,
    can_reset: bool,
    directory: PathBuf,
}

impl MemoryUsage {
    /// Those of a cgroup of the version 1 memory controller.
    pub(super) fn v1(directory: &Path) -> Result<Self, CgroupError> {
        Self::open(directory, "memory.usage_in_bytes", "memory.max_usage_in_bytes")
    }

    /// Those of a cgroup of the unified hierarchy. `memory.peak` came with Linux 5.19.
    pub(super) fn v2(directory: &Path) -> Result<Self, CgroupError> {
        Self::open(directory, "memory.current", "memory.peak")
    }

    fn open(directory: &Path, usage: &str, peak: &str) -> Result<Self, CgroupError> {
        let usage_path = directory.join(usage);
        let usage = File::open(&usage_path).map_err(CgroupError::at("open", &usage_path))?;
        let peak_path = directory.join(peak);
        let writable = File::options().read(true).write(true).open(&peak_path);
        let can_reset = writable.is_ok();
        let peak = writable.or_else(|_| File::open(&peak_path)).ok();
        Ok(Self {
            usage,
            peak,
            can_reset,
            directory: directory.to_owned(),
        })
    }

    /// Bytes charged now.
    pub fn charged(&self) -> io::Result<u64> {
        number(&self.usage)
    }

    /// The most bytes charged at once since the cgroup was made or [`Self::reset_peak`] was called;
    /// none where the kernel does not keep it.
    pub fn peak(&self) -> Option<io::Result<u64>> {
        self.peak.as_ref().map(number)
    }

    /// Forgets the peak so far; false where this kernel cannot.
    #[must_use]
    pub fn reset_peak(&self) -> bool {
        let Some(peak) = self.peak.as_ref().filter(|_| self.can_reset) else {
            return false;
        };
        (&*peak).write_all(b"0").is_ok()
    }

    /// The directory these files lie in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// The number a kernel file holds.
fn number(file: &File) -> io::Result<u64> {
    let mut text = [0; 32];
    let bytes = file.read_at(&mut text, 0)?;
    std::str::from_utf8(&text[..bytes])
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a number"))
}
