//! The container engine: a few requests over its Unix socket, in the order in which `docker run` makes them.
//!
//! ```text
//! ensure_image   once for each workload
//! create ── attach ── start ── wait ── end ── remove      once for each run
//! ```
//!
//! This module only asks and reports; instants are taken by its caller and by the kernel side. It measures
//! nothing, makes no cgroup and keeps no state but the connection's settings: every request is a connection
//! of its own, so a restarted engine needs no new [`Engine`]. An engine on another machine is refused, since
//! nothing of it could be seen from this kernel. The caller's tokio runtime needs its I/O and time drivers.

pub(crate) mod about;
pub(crate) mod container;
pub(crate) mod error;
pub(crate) mod image;
pub(crate) mod meter;
pub(crate) mod processes;

#[cfg(test)]
mod with_docker;

use std::path::{Path, PathBuf};

use bollard::{API_DEFAULT_VERSION, Docker};

use self::error::EngineError;

/// Where Docker's engine listens unless told otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Seconds an engine may take to begin its answer. A request to wait begins its answer at once.
const ANSWER_LIMIT_SECONDS: u64 = 120;

/// An engine that answered.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    docker: Docker,
    socket: PathBuf,
}

impl Engine {
    /// Connects to the engine that this process's `DOCKER_HOST` names, or to Docker's usual one.
    pub(crate) async fn here() -> Result<Self, EngineError> {
        Self::connect(std::env::var("DOCKER_HOST").ok().as_deref()).await
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Whether the engine can put a container into a cgroup of ours, or why not.
    pub(crate) async fn can_nest(&self) -> Result<(), EngineError> {
        match self.about().await?.cgroup_driver.as_str() {
            "systemd" => Err(EngineError::SystemdDriver),
            _ => Ok(()),
        }
    }

    /// Connects to the engine that `docker_host` names in the manner of `DOCKER_HOST`, or to Docker's usual one.
    pub(crate) async fn connect(docker_host: Option<&str>) -> Result<Self, EngineError> {
        let socket = socket_path(docker_host)?;
        let unreachable = |cause| EngineError::Unreachable {
            socket: socket.clone(),
            cause,
        };
        let address = socket.to_string_lossy();
        let docker = Docker::connect_with_unix(&address, ANSWER_LIMIT_SECONDS, API_DEFAULT_VERSION)
            .map_err(unreachable)?;
        // An older engine refuses the version this client was made for; both then speak the engine's.
        let docker = docker.negotiate_version().await.map_err(unreachable)?;
        Ok(Self { docker, socket })
    }
}

fn socket_path(docker_host: Option<&str>) -> Result<PathBuf, EngineError> {
    match docker_host {
        None | Some("") => Ok(DEFAULT_SOCKET.into()),
        Some(host) => match host.strip_prefix("unix://") {
            Some(path) if path.starts_with('/') => Ok(path.into()),
            _ => Err(EngineError::NotLocal(host.to_owned())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_dockers_unless_docker_host_names_another() {
        for (host, socket) in [
            (None, DEFAULT_SOCKET),
            (Some(""), DEFAULT_SOCKET),
            (
                Some("unix:///run/user/1000/docker.sock"),
                "/run/user/1000/docker.sock",
            ),
        ] {
            assert_eq!(socket_path(host).unwrap(), PathBuf::from(socket));
        }
    }

    #[test]
    fn an_engine_elsewhere_is_refused() {
        for host in [
            "tcp://10.0.0.1:2375",
            "ssh://user@host",
            "/var/run/docker.sock",
            "unix://relative",
        ] {
            let refusal = socket_path(Some(host)).unwrap_err().to_string();
            assert!(refusal.contains(host), "{refusal}");
        }
    }

    #[tokio::test]
    async fn where_no_engine_listens_the_error_names_the_socket_and_the_mend() {
        let error = Engine::connect(Some("unix:///nonexistent/docker.sock"))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("/nonexistent/docker.sock"), "{text}");
        assert!(text.contains("start dockerd"), "{text}");
    }
}
