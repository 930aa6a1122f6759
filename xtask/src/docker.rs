//! Docker for the time of a task: the one that answers, or one of our own.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::{Builder, TempDir};

use crate::progress;
use crate::service::Service;
use crate::tree::Tree;

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Whether a Docker engine answers its ping.
pub(crate) fn answers() -> bool {
    ping().is_ok_and(|answer| answer.contains(" 200 "))
}

/// An engine of our own; dropping it stops it first and removes its runtime files then.
pub(crate) struct Engine {
    _service: Service,
    _runtime: TempDir,
}

/// Starts an engine unless one answers.
///
/// Ours keeps its images and containers in the build directory, so that it neither sees nor starts what an engine
/// stopped on this machine has left.
pub(crate) fn ensure(tree: &Tree) -> Result<Option<Engine>> {
    if answers() {
        progress::line("Docker answers already");
        return Ok(None);
    }
    let folder = tree.target.join("docker");
    // In /run for a short name: sockets lie below it, and a socket's path has 108 bytes at most.
    let runtime = Builder::new()
        .prefix("wbd-docker-")
        .tempdir_in("/run")
        .context("cannot make a folder in /run")?;
    let mut dockerd = Command::new("dockerd");
    dockerd
        .arg("--data-root")
        .arg(folder.join("data"))
        .arg("--pidfile")
        .arg(folder.join("pid"));
    dockerd
        .arg("--exec-root")
        .arg(runtime.path())
        .arg("--host")
        .arg(format!("unix://{}", socket().display()));
    let service = Service::start("dockerd", &mut dockerd, &folder.join("log"), answers)?;
    Ok(Some(Engine {
        _service: service,
        _runtime: runtime,
    }))
}

fn socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    PathBuf::from(host.strip_prefix("unix://").unwrap_or(DEFAULT_SOCKET))
}

/// The first bytes of the answer, which hold the status.
fn ping() -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket())?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n")?;
    let mut answer = [0; 32];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
