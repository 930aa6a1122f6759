//! A place for one daemon: its socket, its state, and copies of the programs it is to run.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use wbd_model::Experiment;

use crate::client::Client;
use crate::daemon::Daemon;
use crate::user::User;
use crate::{Answer, process, wait};

/// A place for one daemon. It outlives the daemon, so that another can follow; dropping it removes it.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    dist: PathBuf,
}

impl Home {
    /// An empty place, which every user may enter.
    ///
    /// # Panics
    /// Where the programs to test are not told, or not there.
    #[must_use]
    pub fn new() -> Self {
        let dist =
            std::env::var("WBD_DIST").expect("WBD_DIST names what to test; `cargo xtask test` sets it");
        let folder = tempfile::Builder::new().prefix("wbd-test-").tempdir();
        let folder = folder.expect("a temporary folder");
        allow(folder.path(), 0o755);
        Self {
            folder,
            dist: dist.into(),
        }
    }

    /// A place with a copy of the distribution, for users who may not go to where that lies: what runs from it is known
    /// to be ours.
    ///
    /// # Panics
    /// Where it cannot be copied.
    #[must_use]
    pub fn with_dist_for_everyone() -> Self {
        let mut home = Self::new();
        let dist = home.path("dist");
        let copied = Command::new("cp").arg("-rT").arg(&home.dist).arg(&dist).status();
        assert!(
            copied.is_ok_and(|status| status.success()),
            "cannot copy {}",
            home.dist.display()
        );
        home.dist = dist;
        home
    }

    /// A path in this place.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text, for command lines.
    ///
    /// # Panics
    /// Where the temporary folder's path is not UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("wbd.sock")
    }

    /// The daemon's state directory.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The runner of an engine, where the distribution has it.
    #[must_use]
    pub fn runner(&self, engine: &str) -> String {
        let runner = self.dist.join("lib/wbd").join(format!("wbd-runner-{engine}"));
        runner.display().to_string()
    }

    /// Puts a copy of a program of `tests/programs` here, where there is none: what runs from it is known to be ours.
    ///
    /// # Panics
    /// Where it has not been built.
    #[must_use]
    pub fn program(&self, name: &str) -> String {
        if !self.path(name).exists() {
            let source = self.dist.join("tests").join(name);
            let copied = fs::copy(&source, self.path(name));
            copied.unwrap_or_else(|error| panic!("cannot copy {}: {error}", source.display()));
            allow(&self.path(name), 0o755);
        }
        self.text(name)
    }

    /// The same, for nobody but `owner` to read.
    ///
    /// # Panics
    /// Where it has not been built.
    #[must_use]
    pub fn private_program(&self, name: &str, owner: &User) -> String {
        let program = self.program(name);
        chown(&program, Some(owner.uid), Some(owner.gid)).expect("a file of ours");
        allow(&self.path(name), 0o600);
        program
    }

    /// Puts a file here.
    ///
    /// # Panics
    /// Where it cannot be written.
    #[must_use]
    pub fn file(&self, name: &str, content: &str, mode: u32) -> String {
        fs::write(self.path(name), content).expect("a file in a temporary folder");
        allow(&self.path(name), mode);
        self.text(name)
    }

    /// Processes that run a program of this place, those of the daemon, its clock and the client left out.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let mut pids = process::below(self.folder.path());
        let own = ["bin", "lib/wbd/wbd-clock"].map(|name| self.dist.join(name));
        let is_own = |program: &Path| own.iter().any(|own| program.starts_with(own));
        pids.retain(|pid| process::program(*pid).is_some_and(|program| !is_own(&program)));
        pids
    }

    /// The daemon's command line.
    #[must_use]
    pub fn wbd(&self) -> Command {
        let mut wbd = Command::new(self.dist.join("bin/wbd"));
        wbd.arg("--socket")
            .arg(self.socket())
            .arg("--state")
            .arg(self.state());
        wbd
    }

    /// A daemon that listens.
    #[must_use]
    #[track_caller]
    pub fn start(&self) -> Daemon<'_> {
        Daemon::start(self, &mut self.wbd())
    }

    /// Lets the groups of `user` in: the machine may have no group `wbd`.
    ///
    /// # Panics
    /// Where the daemon made no socket.
    pub fn admit(&self, user: &User) {
        chown(self.socket(), None, user.groups.first().copied()).expect("the daemon's socket");
    }

    /// The client's command line.
    #[must_use]
    pub fn wbctl_command(&self, arguments: &[&str]) -> Command {
        let mut wbctl = Command::new(self.dist.join("bin/wbctl"));
        self.finish_wbctl(&mut wbctl, arguments);
        wbctl
    }

    fn finish_wbctl(&self, wbctl: &mut Command, arguments: &[&str]) {
        wbctl.env_remove("WBD_SOCKET").current_dir(self.folder.path());
        wbctl.arg("--socket").arg(self.socket()).args(arguments);
    }

    /// What the client answers.
    #[track_caller]
    pub fn wbctl(&self, arguments: &[&str]) -> Answer {
        self.begin(arguments).answer()
    }

    /// A client at work.
    #[must_use]
    pub fn begin(&self, arguments: &[&str]) -> Client {
        Client::spawn(&mut self.wbctl_command(arguments))
    }

    /// What the client answers to another user.
    #[track_caller]
    pub fn wbctl_as(&self, user: &User, arguments: &[&str]) -> Answer {
        self.begin_as(user, arguments).answer()
    }

    /// A client of another user at work.
    #[must_use]
    pub fn begin_as(&self, user: &User, arguments: &[&str]) -> Client {
        let wbctl = self.dist.join("bin/wbctl");
        let mut command = user.command(wbctl.to_str().expect("a path in UTF-8"));
        self.finish_wbctl(&mut command, arguments);
        Client::spawn(&mut command)
    }

    /// The only process of a run, once it is there.
    #[track_caller]
    pub fn target(&self) -> u32 {
        wait::until_some("the target runs", || self.processes().first().copied())
    }

    /// Has runs made that must all count, and returns them.
    ///
    /// # Panics
    /// Where one does not.
    #[track_caller]
    pub fn measure(&self, arguments: &[&str]) -> Experiment {
        let answer = self.wbctl(&[&["--json", "run"], arguments].concat()).expect(0);
        let made = self.show(&answer.json::<Experiment>().experiment);
        assert!(made.cells.iter().all(|cell| cell.valid == cell.runs), "{made:#?}");
        made
    }

    /// Has runs made of which some must not count, and returns them.
    ///
    /// # Panics
    /// Where all count, or none were made.
    #[track_caller]
    pub fn fail(&self, arguments: &[&str]) -> Experiment {
        let answer = self.wbctl(&[&["--json", "run"], arguments].concat()).expect(1);
        self.show(&answer.json::<Experiment>().experiment)
    }

    /// An experiment with its runs.
    ///
    /// # Panics
    /// Where there is none of this name.
    #[must_use]
    #[track_caller]
    pub fn show(&self, name: &str) -> Experiment {
        self.wbctl(&["--json", "show", name, "--runs"]).expect(0).json()
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of ours");
}
