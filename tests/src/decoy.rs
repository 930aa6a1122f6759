//! What looks like a daemon's and is not: it must be there, alive, after any daemon has cleared away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Home;
use crate::remains::instance;

/// Cgroups of others right beside a daemon's own, one of them with a process in it, and a process that runs a program
/// of the daemon's targets elsewhere. Dropping it takes them away.
#[derive(Debug)]
pub struct Decoys {
    cgroups: Vec<PathBuf>,
    processes: Vec<Child>,
}

impl Decoys {
    /// Plants them around the running daemon of `home`; `program` never ends by itself.
    ///
    /// # Panics
    /// Where they cannot be made.
    #[must_use]
    pub fn plant(home: &Home, program: &str) -> Self {
        let mut decoys = Self {
            cgroups: Vec::new(),
            processes: Vec::new(),
        };
        for hierarchy in hierarchies() {
            for name in [
                "wbd/0123456789abcdef/run-1".to_owned(),
                format!("wbd/{}0/run-1", instance(&home.state())),
                "wbd-run-1".to_owned(),
            ] {
                decoys.cgroups.push(hierarchy.join(name));
            }
        }
        for cgroup in &decoys.cgroups {
            fs::create_dir_all(cgroup).unwrap_or_else(|error| panic!("{}: {error}", cgroup.display()));
            let process = Command::new(program)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let process = process.expect("a program of ours");
            let number = process.id().to_string();
            decoys.processes.push(process);
            fs::write(cgroup.join("cgroup.procs"), number).expect("a cgroup of ours");
        }
        decoys
    }

    /// Checks that all are there and alive.
    ///
    /// # Panics
    /// Where one is not.
    #[track_caller]
    pub fn assert_there(&mut self) {
        for cgroup in &self.cgroups {
            assert!(cgroup.is_dir(), "{} was removed", cgroup.display());
        }
        for process in &mut self.processes {
            let ended = process.try_wait().expect("a child of ours");
            assert_eq!(ended, None, "process {} was ended", process.id());
        }
    }
}

impl Drop for Decoys {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill(); // it may have been ended
            let _ = process.wait();
        }
        for cgroup in &self.cgroups {
            let _ = fs::remove_dir(cgroup); // it may have been removed
            if cgroup.ends_with("run-1") {
                let _ = cgroup.parent().map(fs::remove_dir);
            }
        }
    }
}

/// Where the hierarchies are mounted that daemons use: those with a cgroup of theirs in them. That of version 1 for CPU sets,
/// where an engine leaves one, takes no process into a cgroup that has not been given CPUs.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let mounted = fs::read_dir(root).expect("cgroups are mounted").flatten();
    let all = mounted.map(|entry| entry.path()).chain([root.to_owned()]);
    all.filter(|hierarchy| hierarchy.join("wbd").is_dir() && !hierarchy.join("cpuset.cpus").exists())
        .collect()
}
