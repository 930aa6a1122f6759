//! Memory charged to a cgroup: the same three questions to version 1 and version 2.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::{CgroupError, write};

/// Keys of `memory.stat` that add up to what a cgroup holds: version 1's, then version 2's.
const HELD: [&str; 5] = ["rss", "cache", "anon", "file", "kernel"];

/// The memory files of one cgroup, held open: a run is launched often.
#[derive(Debug)]
pub struct MemoryUsage {
    usage: File,
    stat: File,
    kernel: Option<File>,
    peak: Option<File>,
    can_reset: bool,
    directory: PathBuf,
    /// Where it is limited, and where it is counted how often the limit cost a process its life.
    limit: PathBuf,
    kills: PathBuf,
}

/// Names of the files that versions 1 and 2 call differently.
struct Names {
    usage: &'static str,
    peak: &'static str,
    limit: &'static str,
    kills: &'static str,
}

impl MemoryUsage {
    /// Those of a cgroup of the version 1 memory controller.
    pub(super) fn v1(directory: &Path) -> Result<Self, CgroupError> {
        let names = Names {
            usage: "memory.usage_in_bytes",
            peak: "memory.max_usage_in_bytes",
            limit: "memory.limit_in_bytes",
            kills: "memory.oom_control",
        };
        Self::open(directory, &names)
    }

    /// Those of a cgroup of the unified hierarchy. `memory.peak` came with Linux 5.19.
    pub(super) fn v2(directory: &Path) -> Result<Self, CgroupError> {
        let names = Names {
            usage: "memory.current",
            peak: "memory.peak",
            limit: "memory.max",
            kills: "memory.events",
        };
        Self::open(directory, &names)
    }

    fn open(directory: &Path, names: &Names) -> Result<Self, CgroupError> {
        let usage_path = directory.join(names.usage);
        let usage = File::open(&usage_path).map_err(CgroupError::at("open", &usage_path))?;
        let stat_path = directory.join("memory.stat");
        let stat = File::open(&stat_path).map_err(CgroupError::at("open", &stat_path))?;
        let kernel = File::open(directory.join("memory.kmem.usage_in_bytes")).ok(); // version 1 alone
        let peak_path = directory.join(names.peak);
        let writable = File::options().read(true).write(true).open(&peak_path);
        let can_reset = writable.is_ok();
        let peak = writable.or_else(|_| File::open(&peak_path)).ok();
        Ok(Self {
            usage,
            stat,
            kernel,
            peak,
            can_reset,
            directory: directory.to_owned(),
            limit: directory.join(names.limit),
            kills: directory.join(names.kills),
        })
    }

    /// Bytes charged now.
    pub fn charged(&self) -> io::Result<u64> {
        number(&self.usage)
    }

    /// Bytes it really holds. What is charged is more: each CPU charges 64 pages at once and keeps the rest
    /// in stock for the next process.
    pub fn held(&self) -> io::Result<u64> {
        let mut text = [0; 4096];
        let bytes = self.stat.read_at(&mut text, 0)?;
        let text = String::from_utf8_lossy(&text[..bytes]);
        let mut held = self.kernel.as_ref().map_or(Ok(0), number)?;
        for line in text.lines() {
            if let Some((_, bytes)) = line.split_once(' ').filter(|(key, _)| HELD.contains(key)) {
                held += bytes.parse().unwrap_or(0);
            }
        }
        Ok(held)
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

    /// Lets it be charged with no more than this many bytes: the kernel ends a process inside that needs more.
    pub fn limit(&self, bytes: u64) -> Result<(), CgroupError> {
        write(&self.limit, &bytes.to_string()).map_err(CgroupError::at("write", &self.limit))
    }

    /// How many processes inside the kernel ended for want of memory so far; 0 where it does not say.
    #[must_use]
    pub fn oom_kills(&self) -> u64 {
        let text = std::fs::read_to_string(&self.kills).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
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
