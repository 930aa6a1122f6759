//! The daemon's own part of the cgroup tree, and what an earlier daemon left in it.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::run::{members, remove_tree};
use super::{CgroupError, Controller, Hierarchies, RunCgroup, write};

/// Top of what wbd makes in each hierarchy.
const TOP: &str = "wbd";

/// The part of the cgroup tree that belongs to one daemon. Dropping it removes it.
#[derive(Debug)]
pub struct Nest {
    hierarchies: Hierarchies,
    relative: PathBuf,
    /// Files that bring a thread back to where the daemon was when it began, in each version 1 hierarchy that runs
    /// are put into by us.
    homes: Vec<PathBuf>,
    made: u64,
}

impl Nest {
    /// How deep the cgroups of runs lie below the root of the unified hierarchy.
    pub const RUN_LEVEL: u32 = 3;

    /// Takes the part named `instance`, and removes what an earlier daemon of that name left there:
    /// processes are killed, cgroups removed.
    pub fn take(hierarchies: Hierarchies, instance: &str) -> Result<Self, CgroupError> {
        let nest = Self {
            homes: homes(&hierarchies),
            hierarchies,
            relative: Path::new(TOP).join(instance),
            made: 0,
        };
        nest.clear()?;
        nest.furnish()?;
        Ok(nest)
    }

    /// How this machine mounts its cgroups.
    #[must_use]
    pub fn hierarchies(&self) -> &Hierarchies {
        &self.hierarchies
    }

    /// Makes the cgroup of a run.
    pub fn make(&mut self) -> Result<RunCgroup, CgroupError> {
        self.made += 1;
        self.furnish()?; // somebody may have tidied up
        RunCgroup::make(
            &self.hierarchies,
            &self.relative.join(format!("run-{}", self.made)),
        )
    }

    /// Puts the calling thread back where the rest of the daemon is in the version 1 hierarchies.
    pub fn release_this_thread(&self) -> Result<(), CgroupError> {
        let mut homes = self.homes.iter();
        homes.try_for_each(|tasks| write(tasks, "0").map_err(CgroupError::at("write", tasks)))
    }

    /// A path below the root of every hierarchy that leads to the cgroup of a run, as a container engine
    /// wants to be told it.
    #[must_use]
    pub fn path_of_latest(&self) -> PathBuf {
        Path::new("/")
            .join(&self.relative)
            .join(format!("run-{}", self.made))
    }

    /// Makes our part where it is not there.
    fn furnish(&self) -> Result<(), CgroupError> {
        for root in self.needed_roots() {
            let path = root.join(&self.relative);
            fs::create_dir_all(&path).map_err(CgroupError::at("make", &path))?;
        }
        let Hierarchies { memory, pids, .. } = &self.hierarchies;
        for (controller, name) in [(memory, "+memory"), (pids, "+pids")] {
            if *controller == Controller::V2 {
                self.enable(name)?;
            }
        }
        Ok(())
    }

    /// Where runs are, for a thread that does not make them.
    #[must_use]
    pub fn runs(&self) -> Runs {
        Runs(self.hierarchies.unified.join(&self.relative))
    }

    /// Removes it all, and ends what is inside.
    pub fn dismantle(&self) {
        let _ = self.clear(); // the next daemon of this name tries again
        for root in self.hierarchies.roots() {
            let _ = fs::remove_dir(root.join(TOP)); // another daemon may still be in it
        }
    }

    /// Hierarchies that runs are put into by us.
    fn needed_roots(&self) -> Vec<&Path> {
        let v1 = v1_of_runs(&self.hierarchies).map(|(mount, _)| mount);
        [self.hierarchies.unified.as_path()]
            .into_iter()
            .chain(v1)
            .collect()
    }

    /// Hands a controller down from the root to the runs.
    fn enable(&self, controller: &str) -> Result<(), CgroupError> {
        let unified = &self.hierarchies.unified;
        for level in [Path::new(""), Path::new(TOP), &self.relative] {
            let control = unified.join(level).join("cgroup.subtree_control");
            write(&control, controller).map_err(CgroupError::at("write", &control))?;
        }
        Ok(())
    }

    /// Ends and removes all there is in our part, in every hierarchy that is mounted.
    fn clear(&self) -> Result<(), CgroupError> {
        self.hierarchies
            .roots()
            .try_for_each(|root| remove_tree(&root.join(&self.relative)))
    }
}

/// The cgroups of a daemon's runs, seen from another thread than the one that makes them.
#[derive(Clone, Debug)]
pub struct Runs(PathBuf);

impl Runs {
    /// Kills, one by one, what is in the cgroups of runs now: unlike the stroke that empties a cgroup, this lets the next
    /// child be born there.
    pub fn kill_members(&self) {
        for run in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            for pid in members(&run.path()) {
                let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL); // it may have ended
            }
        }
    }
}

impl Drop for Nest {
    fn drop(&mut self) {
        self.dismantle();
    }
}

/// The version 1 hierarchies that runs are put into by us: where each is mounted, and its controller.
fn v1_of_runs(hierarchies: &Hierarchies) -> impl Iterator<Item = (&Path, &'static str)> {
    let controllers = [(&hierarchies.memory, "memory"), (&hierarchies.pids, "pids")];
    controllers
        .into_iter()
        .filter_map(|(controller, name)| match controller {
            Controller::V1(mount) => Some((mount.as_path(), name)),
            Controller::V2 | Controller::Absent(_) => None,
        })
}

fn homes(hierarchies: &Hierarchies) -> Vec<PathBuf> {
    let of_runs = v1_of_runs(hierarchies);
    of_runs
        .map(|(mount, name)| mount.join(home(name)).join("tasks"))
        .collect()
}

/// Where this process is in a version 1 hierarchy, relative to its mount.
fn home(controller: &str) -> PathBuf {
    let groups = procfs::process::Process::myself().and_then(|me| me.cgroups());
    let group = groups.ok().and_then(|groups| {
        groups
            .0
            .into_iter()
            .find(|group| group.controllers.iter().any(|name| name == controller))
    });
    group
        .map(|group| PathBuf::from(group.pathname.trim_start_matches('/')))
        .unwrap_or_default()
}
