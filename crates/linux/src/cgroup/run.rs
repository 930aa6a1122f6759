//! The cgroup of one run.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{CgroupError, Controller, Freezer, Hierarchies, MemoryUsage, TaskLimit, write};

/// How long processes that were killed may take to go.
const DEATH_BUDGET: Duration = Duration::from_secs(10);

/// Processes and threads that a run may have at once: many times what a measured program needs, and few enough for
/// the machine to go on.
pub const MOST_TASKS: u64 = 4096;

/// A cgroup that holds one run and nothing else, in every hierarchy that matters.
#[derive(Debug)]
pub struct RunCgroup {
    unified: PathBuf,
    directory: File,
    events: File,
    cpu: Option<File>,
    id: u64,
    memory: Option<MemoryUsage>,
    tasks: Option<TaskLimit>,
    /// Its directories in the version 1 hierarchies of controllers.
    v1: Vec<PathBuf>,
    /// Its directory in every hierarchy, where it was or may have been made.
    everywhere: Vec<PathBuf>,
    /// Whether no other run may have it.
    retired: Cell<bool>,
}

impl RunCgroup {
    pub(super) fn make(hierarchies: &Hierarchies, relative: &Path) -> Result<Self, CgroupError> {
        let unified = hierarchies.unified.join(relative);
        fs::create_dir(&unified).map_err(CgroupError::at("make", &unified))?;
        let directory = File::open(&unified).map_err(CgroupError::at("open", &unified))?;
        let id = directory
            .metadata()
            .map_err(CgroupError::at("look at", &unified))?
            .ino();
        let events_path = unified.join("cgroup.events");
        let events = File::open(&events_path).map_err(CgroupError::at("open", &events_path))?;
        let cpu = File::open(unified.join("cpu.stat")).ok();
        let mut v1 = Vec::new();
        let memory = match place(&hierarchies.memory, &unified, relative, &mut v1)? {
            Some(path) if path == unified => Some(MemoryUsage::v2(&path)?),
            Some(path) => Some(MemoryUsage::v1(&path)?),
            None => None,
        };
        let tasks = place(&hierarchies.pids, &unified, relative, &mut v1)?;
        let tasks = tasks.map(|path| TaskLimit::set(&path, MOST_TASKS)).transpose()?;
        let everywhere = hierarchies.roots().map(|root| root.join(relative)).collect();
        Ok(Self {
            everywhere,
            retired: Cell::new(false),
            unified,
            directory,
            events,
            cpu,
            id,
            memory,
            tasks,
            v1,
        })
    }

    /// Its id in the unified hierarchy: the number by which the kernel side knows the run.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its directory in the unified hierarchy, for `CLONE_INTO_CGROUP` and for counters.
    #[must_use]
    pub fn directory(&self) -> &File {
        &self.directory
    }

    /// Its memory, where this machine accounts for it.
    #[must_use]
    pub fn memory(&self) -> Option<&MemoryUsage> {
        self.memory.as_ref()
    }

    /// CPU time that all processes used that were ever inside, in nanoseconds, to the microsecond; none where the
    /// kernel does not tell.
    #[must_use]
    pub fn cpu_ns(&self) -> Option<u64> {
        let mut text = [0; 64]; // it is the first line
        let bytes = self.cpu.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(&text[..bytes]).ok()?;
        let usage = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
        Some(usage.trim().parse::<u64>().ok()? * 1_000)
    }

    /// The number of its processes and threads, where this machine limits it.
    #[must_use]
    pub fn tasks(&self) -> Option<&TaskLimit> {
        self.tasks.as_ref()
    }

    /// Puts the calling thread, and the children it makes from now on, into the version 1 hierarchies'
    /// parts. Moving each child costs 80 us and holds up every fork on the machine; this is done once.
    /// Without such a hierarchy there is nothing to do: children are born into the unified one.
    pub fn adopt_this_thread(&self) -> Result<(), CgroupError> {
        let mut files = self.v1.iter().map(|directory| directory.join("tasks"));
        files.try_for_each(|tasks| write(&tasks, "0").map_err(CgroupError::at("write", &tasks)))
    }

    /// Whether a process is still inside.
    pub fn is_populated(&self) -> Result<bool, CgroupError> {
        let mut text = [0; 128];
        let bytes = self
            .events
            .read_at(&mut text, 0)
            .map_err(CgroupError::at("read", &self.unified.join("cgroup.events")))?;
        Ok(text[..bytes].windows(11).any(|line| line == b"populated 1"))
    }

    /// What makes the processes inside stand still.
    #[must_use]
    pub fn freezer(&self) -> Freezer {
        Freezer::of(self.unified.clone())
    }

    /// Processes inside.
    pub fn processes(&self) -> Vec<u32> {
        members(&self.unified)
    }

    /// Ends every process inside, at once and without appeal, and waits until they are gone.
    pub fn kill(&self) -> Result<(), CgroupError> {
        self.retire(); // Linux takes a child born into it from now on for one that escaped the killing
        kill_all(&self.unified)?;
        let begin = Instant::now();
        while self.is_populated()? {
            if begin.elapsed() > DEATH_BUDGET {
                let error = io::Error::new(io::ErrorKind::TimedOut, "killed processes are still there");
                return Err(CgroupError::at("empty", &self.unified)(error));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Makes it count as touched.
    pub fn retire(&self) {
        self.retired.set(true);
    }

    /// Whether a run left it as it was made: nobody inside, no cgroup below, not retired.
    pub fn is_untouched(&self) -> Result<bool, CgroupError> {
        let own_links = 2; // its name and its `.`; each cgroup below adds its `..`
        let links = self
            .directory
            .metadata()
            .map_err(CgroupError::at("look at", &self.unified))?
            .nlink();
        Ok(!self.retired.get() && links <= own_links && !self.is_populated()?)
    }

    /// Removes it and what was made below it; no process may be inside.
    pub fn remove(self) -> Result<(), CgroupError> {
        let Self { everywhere, .. } = self;
        everywhere.iter().try_for_each(|path| remove_tree(path))
    }
}

/// Where a controller keeps its files of a run; made where it has a hierarchy of its own, and noted in `v1`.
fn place(
    controller: &Controller,
    unified: &Path,
    relative: &Path,
    v1: &mut Vec<PathBuf>,
) -> Result<Option<PathBuf>, CgroupError> {
    Ok(match controller {
        Controller::V1(mount) => {
            let path = mount.join(relative);
            if !v1.contains(&path) {
                fs::create_dir(&path).map_err(CgroupError::at("make", &path))?;
                v1.push(path.clone());
            }
            Some(path)
        }
        Controller::V2 => Some(unified.to_owned()),
        Controller::Absent(_) => None,
    })
}

/// Kills what is inside, from Linux 5.14 in one stroke, before that one by one until none is left.
fn kill_all(cgroup: &Path) -> Result<(), CgroupError> {
    let stroke = cgroup.join("cgroup.kill");
    if stroke.exists() {
        return write(&stroke, "1").map_err(CgroupError::at("write", &stroke));
    }
    let begin = Instant::now();
    while begin.elapsed() < DEATH_BUDGET {
        let mut inside = members(cgroup);
        inside.retain(|&pid| pid != std::process::id()); // a thread of ours may still be inside, in version 1
        if inside.is_empty() {
            break;
        }
        for pid in inside {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid.cast_signed()),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

pub(super) fn members(cgroup: &Path) -> Vec<u32> {
    let listed = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    listed.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Removes a cgroup and all below it, the deepest first, killing what is inside.
pub(super) fn remove_tree(top: &Path) -> Result<(), CgroupError> {
    let entries = match fs::read_dir(top) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(CgroupError::at("list", top)(error)),
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    kill_all(top)?;
    remove_directory(top)
}

/// Removes an empty cgroup. The kernel may need a moment to let go of processes that have just ended.
fn remove_directory(path: &Path) -> Result<(), CgroupError> {
    let begin = Instant::now();
    loop {
        match fs::remove_dir(path) {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && begin.elapsed() < DEATH_BUDGET => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            done => return done.map_err(CgroupError::at("remove", path)),
        }
    }
}
