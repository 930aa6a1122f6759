//! Cgroups: one for each run, in the unified hierarchy and where needed in those of two controllers.
//!
//! ```text
//!   <unified>/wbd/<instance>/<run>     registered with the kernel side, killed as a whole
//!   <memory>/wbd/<instance>/<run>      its memory, where cgroup v1 has the memory controller
//!   <pids>/wbd/<instance>/<run>        how many processes it may have, where cgroup v1 has that controller
//! ```

mod freezer;
mod memory;
mod nest;
mod pids;
mod run;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

pub use freezer::{Freezer, Frozen};
pub use memory::MemoryUsage;
pub use nest::{Nest, Runs};
pub use pids::TaskLimit;
pub use run::{MOST_TASKS, RunCgroup};

/// A file of a cgroup could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot {action}: {source}", path.display())]
pub struct CgroupError {
    /// What was tried, such as `write`.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl CgroupError {
    fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// How this machine mounts its cgroups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchies {
    /// Where the unified hierarchy is mounted.
    pub unified: PathBuf,
    /// Where the memory controller is.
    pub memory: Controller,
    /// Where the controller of the number of processes is.
    pub pids: Controller,
    /// Where every version 1 hierarchy is mounted: a container engine makes the cgroup in each of them.
    pub v1: Vec<PathBuf>,
}

/// Where a controller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Controller {
    /// In a hierarchy of its own, mounted here.
    V1(PathBuf),
    /// In the unified hierarchy.
    V2,
    /// Nowhere: why.
    Absent(String),
}

/// Why this machine's cgroups are of no use.
#[derive(Debug, thiserror::Error)]
pub enum NoCgroups {
    /// The mounts cannot be read.
    #[error("the mounts of this process cannot be read: {0}")]
    Mounts(procfs::ProcError),
    /// There is no unified hierarchy.
    #[error("cgroup v2 is mounted nowhere; mount it with: mount -t cgroup2 none /sys/fs/cgroup")]
    NoUnified,
}

impl Hierarchies {
    /// Looks at the mounts of this process.
    pub fn detect() -> Result<Self, NoCgroups> {
        let mounts = procfs::process::Process::myself()
            .and_then(|me| me.mountinfo())
            .map_err(NoCgroups::Mounts)?;
        let unified = mounts
            .0
            .iter()
            .find(|mount| mount.fs_type == "cgroup2")
            .map(|mount| mount.mount_point.clone())
            .ok_or(NoCgroups::NoUnified)?;
        let controller = |name: &str| {
            let is_its = |mount: &&procfs::process::MountInfo| {
                mount.fs_type == "cgroup" && mount.super_options.contains_key(name)
            };
            match mounts.0.iter().find(is_its) {
                Some(mount) => Controller::V1(mount.mount_point.clone()),
                None => of_unified(&unified, name),
            }
        };
        let (memory, pids) = (controller("memory"), controller("pids"));
        let is_v1 = |mount: &&procfs::process::MountInfo| mount.fs_type == "cgroup";
        let v1 = mounts
            .0
            .iter()
            .filter(is_v1)
            .map(|mount| mount.mount_point.clone())
            .collect();
        Ok(Self {
            unified,
            memory,
            pids,
            v1,
        })
    }

    /// Where any hierarchy is mounted.
    fn roots(&self) -> impl Iterator<Item = &PathBuf> {
        self.v1.iter().chain([&self.unified])
    }

    /// `v1`, `hybrid` or `v2`, for the record.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.memory {
            Controller::V1(_) => "hybrid",
            Controller::V2 | Controller::Absent(_) => "v2",
        }
    }
}

fn of_unified(unified: &Path, name: &str) -> Controller {
    let offered = std::fs::read_to_string(unified.join("cgroup.controllers")).unwrap_or_default();
    if offered.split_whitespace().any(|controller| controller == name) {
        return Controller::V2;
    }
    Controller::Absent(format!(
        "the {name} controller is off; boot with cgroup_enable={name} to have it"
    ))
}

/// Writes to a file of a cgroup, which must be there: the kernel refuses to make one, and says so misleadingly.
fn write(path: &Path, text: &str) -> io::Result<()> {
    std::fs::OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(text.as_bytes())
}
