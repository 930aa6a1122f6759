//! The disk a guest starts from: Debian's programs, what was built, the tests, and the list of those to run.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::deb;
use crate::dist::{Dist, make_dir, remove};
use crate::shell;
use crate::tree::Tree;

const INIT: &str = include_str!("init.sh");
/// Has a service manager do what `init.sh` does by itself where it is the first program.
const UNIT: &str = include_str!("wbd-vm.service");
/// All such a machine starts for: what every machine does, and no one to log in.
const TARGET: &str = "[Unit]\nDescription=A guest\nWants=basic.target wbd-vm.service\n";
/// Room for what is put on it and for what tests write.
const DISK_BYTES: &str = "2G";

/// What goes on a disk.
pub(crate) struct Content<'a> {
    /// The checkout.
    pub tree: &'a Tree,
    /// The root of Debian's programs.
    pub root: &'a Path,
    /// Whether a service manager is the first program, and what was built is installed as the package installs it.
    pub manager: bool,
    /// The distribution.
    pub dist: &'a Dist,
    /// The engines whose runners are part of it.
    pub engines: &'a [String],
    /// The test programs: name and file.
    pub tests: &'a [(String, PathBuf)],
    /// A program that tests find by the path it was built at.
    pub in_place: Option<&'a Path>,
    /// What the guest runs: a file of tests and its arguments on each line.
    pub list: &'a str,
    /// What it runs after them, beside a daemon.
    pub script: Option<&'a str>,
}

impl Content<'_> {
    /// Makes the disk in `place`.
    pub(crate) fn write(&self, place: &Path) -> Result<PathBuf> {
        let (stage, disk) = (place.join("stage"), place.join("disk"));
        remove(&stage)?;
        copy(self.root, &stage)?;
        let ours = stage.join("wbd");
        make_dir(&ours)?;
        self.copy_dist(&ours.join("dist"))?;
        self.copy_tests(&stage)?;
        if self.manager {
            self.install(&stage)?;
        }
        write(&ours.join("list"), self.list)?;
        if let Some(script) = self.script {
            write(&ours.join("script"), script)?;
        }
        let init = ours.join("init");
        write(&init, INIT)?;
        fs::set_permissions(&init, Permissions::from_mode(0o755))
            .with_context(|| format!("cannot change {}", init.display()))?;
        remove(&disk)?;
        make_file_system(&stage, &disk)?;
        remove(&stage)?;
        Ok(disk)
    }

    fn copy_dist(&self, into: &Path) -> Result<()> {
        for part in ["bin", "share", "tests"] {
            copy(&self.dist.root.join(part), &into.join(part))?;
        }
        let runners = self.engines.iter().map(|engine| format!("wbd-runner-{engine}"));
        for file in runners.chain(["wbd-clock".to_owned()]) {
            copy(
                &self.dist.runners().join(&file),
                &into.join("lib/wbd").join(&file),
            )?;
        }
        Ok(())
    }

    fn install(&self, stage: &Path) -> Result<()> {
        let dist = Dist {
            root: stage.join("wbd/dist"),
        };
        deb::lay_out(self.tree, &dist, stage)?;
        let units = stage.join("etc/systemd/system");
        let wants = units.join("sockets.target.wants");
        make_dir(&wants)?;
        link("/usr/lib/systemd/system/wbd.socket", &wants.join("wbd.socket"))?;
        write(&units.join("wbd-vm.service"), UNIT)?;
        write(&units.join("default.target"), TARGET)?;
        // Without, it would take this for its first start and set everything up.
        write(
            &stage.join("etc/machine-id"),
            "77626400000000000000000000000001\n",
        )
    }

    fn copy_tests(&self, stage: &Path) -> Result<()> {
        for (name, file) in self.tests {
            copy(file, &stage.join("wbd/tests").join(name))?;
        }
        let Some(file) = self.in_place else { return Ok(()) };
        copy(file, &stage.join(file.strip_prefix("/").unwrap_or(file)))
    }
}

fn make_file_system(from: &Path, disk: &Path) -> Result<()> {
    let mut make = Command::new("mke2fs");
    make.args(["-q", "-t", "ext4", "-E", "root_owner=0:0", "-d"]);
    shell::run(make.args([from, disk]).arg(DISK_BYTES))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(above) = to.parent() {
        make_dir(above)?;
    }
    shell::run(
        Command::new("cp")
            .args(["--archive", "--no-target-directory"])
            .args([from, to]),
    )
}

fn link(to: &str, name: &Path) -> Result<()> {
    symlink(to, name).with_context(|| format!("cannot make the link {}", name.display()))
}

fn write(file: &Path, content: &str) -> Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}
