//! The engine's processes on this machine, as process ids in this daemon's namespace.
//!
//! Who listens on the engine's socket is the surest sign, but a socket that systemd opened names systemd.
//! So every candidate is checked by its name in `/proc`, and an engine that cannot be found (rootless,
//! Podman, in another namespace) has no process here rather than a guessed one.

use std::path::Path;

use procfs::process::{Process, Stat, all_processes};
use tokio::net::UnixStream;

use super::Engine;

/// Where dockerd writes its process id unless told otherwise.
const DOCKERD_PID_FILE: &str = "/var/run/docker.pid";

/// Where a containerd that dockerd did not start itself listens.
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// The engine's processes; none: not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Processes {
    /// Answers requests and sets networks up.
    pub(crate) dockerd: Option<i32>,
    /// Starts a shim for each container.
    pub(crate) containerd: Option<i32>,
}

impl Engine {
    /// Finds the engine's processes as they are now.
    pub(crate) async fn processes(&self) -> Processes {
        let dockerd = match named(listener(&self.socket).await, "dockerd") {
            None => named(pid_in(Path::new(DOCKERD_PID_FILE)), "dockerd"),
            found => found,
        };
        let containerd = match dockerd.and_then(|dockerd| child(dockerd, "containerd")) {
            None => named(listener(Path::new(CONTAINERD_SOCKET)).await, "containerd"),
            found => found,
        };
        Processes { dockerd, containerd }
    }
}

/// The process that began to listen on the socket.
async fn listener(socket: &Path) -> Option<i32> {
    let stream = UnixStream::connect(socket).await.ok()?;
    stream.peer_cred().ok()?.pid()
}

fn pid_in(file: &Path) -> Option<i32> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The process, if it bears the name.
fn named(pid: Option<i32>, name: &str) -> Option<i32> {
    pid.filter(|pid| stat(*pid).is_some_and(|stat| stat.comm == name))
}

fn child(parent: i32, name: &str) -> Option<i32> {
    let stats = all_processes()
        .ok()?
        .filter_map(|process| process.ok()?.stat().ok());
    let mut children = stats.filter(|stat| stat.ppid == parent && stat.comm == name);
    children.next().map(|stat| stat.pid)
}

fn stat(pid: i32) -> Option<Stat> {
    Process::new(pid).ok()?.stat().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_taken_by_its_name_alone() {
        let me = std::process::id().cast_signed();
        let name = stat(me).unwrap().comm;
        assert_eq!(named(Some(me), &name), Some(me));
        assert_eq!(named(Some(me), "dockerd"), None);
        assert_eq!(named(None, &name), None);
    }

    #[test]
    fn a_child_is_found_under_its_parent() {
        let mut sleeper = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let found = child(std::process::id().cast_signed(), "sleep");
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        assert_eq!(found, Some(sleeper.id().cast_signed()));
        assert_eq!(child(std::process::id().cast_signed(), "sleep"), None);
    }

    #[tokio::test]
    async fn who_listens_on_a_socket_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(listener(&socket).await, Some(std::process::id().cast_signed()));
        assert_eq!(listener(Path::new("/nonexistent")).await, None);
    }
}
