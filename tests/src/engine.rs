//! A Docker engine of a test's own, to be killed: its images, sockets and processes are no other's.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::docker::docker;
use crate::wait;

/// An engine of a test's own. Dropping it takes everything of it away.
#[derive(Debug)]
pub struct Engine {
    dockerd: Child,
    /// In `/run`, for a short name: sockets lie below it, and a socket's path has 108 bytes at most.
    folder: TempDir,
    data: TempDir,
}

impl Engine {
    /// Starts one that answers.
    ///
    /// # Panics
    /// Where it does not: this machine has no Docker.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("wbd-test-").tempdir_in("/run");
        let folder = folder.expect("a folder in /run");
        let data = tempfile::Builder::new()
            .prefix("wbd-test-docker-")
            .tempdir()
            .expect("a folder");
        let dockerd = spawn(&folder, &data);
        let engine = Self {
            dockerd,
            folder,
            data,
        };
        engine.await_answer();
        engine
    }

    /// Where it listens, as `DOCKER_HOST` names it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Kills dockerd without a word. Its containerd, shims and containers go on.
    ///
    /// # Panics
    /// Never: it is a child of ours.
    pub fn kill(&mut self) {
        self.dockerd
            .kill()
            .and_then(|()| self.dockerd.wait())
            .expect("a child of ours");
    }

    /// Starts it again after it was killed.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn restart(&mut self) {
        self.dockerd = spawn(&self.folder, &self.data);
        self.await_answer();
    }

    /// Its processes of this name, dockerd left out.
    #[must_use]
    pub fn processes(&self, name: &str) -> Vec<u32> {
        let folder = self.folder.path().to_str().expect("a path in UTF-8").as_bytes();
        let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_its = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0);
            let program = words.next().unwrap_or_default();
            *pid != self.dockerd.id()
                && String::from_utf8_lossy(program).contains(name)
                && line.windows(folder.len()).any(|part| part == folder)
        };
        pids.filter(is_its).collect()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    fn await_answer(&self) {
        let answers = || {
            UnixStream::connect(self.socket()).is_ok() && docker(&["-H", &self.host(), "version"]).code == 0
        };
        wait::until("an engine of our own answers", answers);
    }
}

fn spawn(folder: &TempDir, data: &TempDir) -> Child {
    let of = |name: &str| folder.path().join(name);
    let _ = fs::remove_file(of("pid")); // of one that was killed
    let log = File::create(data.path().join("log")).expect("a file of ours");
    // In a network namespace of its own: without a bridge it would take the host's away from other engines.
    let mut dockerd = Command::new("unshare");
    dockerd.args(["--net", "dockerd"]);
    dockerd.arg("--data-root").arg(data.path().join("data"));
    dockerd.arg("--exec-root").arg(of("exec"));
    dockerd.arg("--pidfile").arg(of("pid"));
    dockerd
        .arg("--host")
        .arg(format!("unix://{}", of("docker.sock").display()));
    // Another engine may have the bridge and the rules of this machine.
    dockerd.args(["--bridge=none", "--iptables=false"]);
    dockerd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    dockerd.spawn().expect("dockerd is installed")
}

impl Drop for Engine {
    fn drop(&mut self) {
        if matches!(self.dockerd.try_wait(), Ok(None)) {
            let _ = kill(Pid::from_raw(self.dockerd.id().cast_signed()), Signal::SIGTERM);
            let _ = self.dockerd.wait();
        }
        for pid in self.processes("containerd") {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        }
        // What it had mounted would keep its folders from being removed.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for place in places.filter(|place| place.contains("/wbd-test-")) {
            let below = [self.folder.path(), self.data.path()];
            if below
                .iter()
                .any(|folder| std::path::Path::new(place).starts_with(folder))
            {
                let _ = nix::mount::umount2(place, nix::mount::MntFlags::MNT_DETACH);
            }
        }
    }
}
