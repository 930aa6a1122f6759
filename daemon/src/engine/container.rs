//! One container's life.

use std::collections::HashMap;
use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptions, AttachContainerOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use bytes::Bytes;
use tokio_stream::{Stream, StreamExt as _};

use super::Engine;
use super::error::{EngineError, refused, status};

/// Marks a container as one of wbd's, for whoever lists containers.
const LABEL: &str = "wbd";

/// Carries the name of the daemon that made the container.
const OWNER_LABEL: &str = "wbd.owner";

/// Carries the number of the run.
const RUN_LABEL: &str = "wbd.run";

/// A container to make. Whatever is not named here is as `docker run` has it: the bridge network, the
/// engine's own log driver, no limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec<'a> {
    /// Reference of its image.
    pub(crate) image: &'a str,
    /// Arguments of the image's entry point.
    pub(crate) args: &'a [String],
    /// The cgroup in which the engine makes the container's own.
    pub(crate) cgroup_parent: Option<&'a str>,
    /// User and group the program runs as; root where absent.
    pub(crate) user: Option<(u32, u32)>,
    /// CPUs it may use; all where none is named.
    pub(crate) cpus: &'a [u32],
    /// Name of the daemon that makes it: the same after a restart, another for a daemon beside it.
    pub(crate) owner: &'a str,
    /// Number of the run, kept in a label.
    pub(crate) run: u64,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// Its program's exit status; 128 and the signal's number where one ended it.
    pub(crate) code: i64,
    /// Whether the kernel ended it for want of memory.
    pub(crate) oom_killed: bool,
}

/// A container's standard output and standard error.
pub(crate) struct Output {
    frames: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    id: String,
}

/// A piece of a container's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Of its standard output.
    Stdout(Bytes),
    /// Of its standard error.
    Stderr(Bytes),
}

impl Output {
    /// The next piece; none once the container closed both streams.
    pub(crate) async fn next(&mut self) -> Option<Result<Piece, EngineError>> {
        let request = || format!("pass on the output of container {}", self.id);
        Some(match self.frames.next().await? {
            Ok(LogOutput::StdOut { message }) => Ok(Piece::Stdout(message)),
            Ok(LogOutput::StdErr { message }) => Ok(Piece::Stderr(message)),
            // What has no whole frame is the rest of a stream that broke off.
            Ok(LogOutput::Console { .. } | LogOutput::StdIn { .. }) => Err(EngineError::CutShort(request())),
            Err(error) => Err(refused(request)(error)),
        })
    }
}

impl Engine {
    /// Makes a container and returns its id.
    pub(crate) async fn create(&self, spec: &Spec<'_>) -> Result<String, EngineError> {
        let created = self.docker.create_container(None, body(spec)).await;
        created
            .map(|created| created.id)
            .map_err(refused(|| format!("create a container from {}", spec.image)))
    }

    /// Opens a container's output. Done before it starts, so that nothing is missed.
    pub(crate) async fn attach(&self, id: &str) -> Result<Output, EngineError> {
        let attached = self.docker.attach_container(id, Some(both_streams())).await;
        let attached = attached.map_err(refused(|| format!("attach to container {id}")))?;
        Ok(Output {
            frames: attached.output,
            id: id.to_owned(),
        })
    }

    /// Starts a container. The engine answers once its program was told to run.
    pub(crate) async fn start(&self, id: &str) -> Result<(), EngineError> {
        let started = self.docker.start_container(id, None).await;
        started.map_err(refused(|| format!("start container {id}")))
    }

    /// Waits until a started container ended, and returns its exit status.
    pub(crate) async fn wait(&self, id: &str) -> Result<i64, EngineError> {
        let request = || format!("wait for container {id}");
        let mut answers = std::pin::pin!(self.docker.wait_container(id, None));
        match answers.next().await {
            Some(Ok(answer)) => Ok(answer.status_code),
            Some(Err(Error::DockerContainerWaitError { code, error })) if error.is_empty() => Ok(code),
            Some(Err(error)) => Err(refused(request)(error)),
            None => Err(EngineError::CutShort(request())),
        }
    }

    /// How a container ended. A request of its own, so that it weighs on no instant.
    pub(crate) async fn end(&self, id: &str) -> Result<End, EngineError> {
        let inspected = self.docker.inspect_container(id, None).await;
        let inspected = inspected.map_err(refused(|| format!("inspect container {id}")))?;
        let state = inspected.state.unwrap_or_default();
        Ok(End {
            code: state
                .exit_code
                .ok_or_else(|| EngineError::CutShort(format!("tell how container {id} ended")))?,
            oom_killed: state.oom_killed.unwrap_or(false),
        })
    }

    /// Ends a container if it runs, and removes it. One that is gone, or going, is no error.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.docker.remove_container(id, Some(options)).await {
            Err(error) if !matches!(status(&error), Some(404 | 409)) => {
                Err(refused(|| format!("remove container {id}"))(error))
            }
            _ => Ok(()),
        }
    }

    /// Removes every container that this owner left behind, and returns how many.
    pub(crate) async fn remove_leftovers(&self, owner: &str) -> Result<usize, EngineError> {
        let ours = HashMap::from([("label", vec![format!("{OWNER_LABEL}={owner}")])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&ours)
            .build();
        let listed = self.docker.list_containers(Some(options)).await;
        let listed = listed.map_err(refused(|| "list its containers".into()))?;
        let ids: Vec<_> = listed.into_iter().filter_map(|container| container.id).collect();
        for id in &ids {
            self.remove(id).await?;
        }
        Ok(ids.len())
    }
}

fn both_streams() -> AttachContainerOptions {
    AttachContainerOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .stream(true)
        .build()
}

fn body(spec: &Spec<'_>) -> ContainerCreateBody {
    let labels = [
        (LABEL, "1".to_owned()),
        (OWNER_LABEL, spec.owner.to_owned()),
        (RUN_LABEL, spec.run.to_string()),
    ];
    ContainerCreateBody {
        image: Some(spec.image.to_owned()),
        cmd: Some(spec.args.to_vec()),
        user: spec.user.map(|(user, group)| format!("{user}:{group}")),
        labels: Some(labels.map(|(name, value)| (name.to_owned(), value)).into()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        host_config: Some(HostConfig {
            cgroup_parent: spec.cgroup_parent.map(str::to_owned),
            security_opt: spec.user.and_then(no_way_up),
            cpuset_cpus: (!spec.cpus.is_empty()).then(|| wbd_model::cpus::text(spec.cpus)),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// Whoever is not root stays so, whatever the image holds.
fn no_way_up((user, _): (u32, u32)) -> Option<Vec<String>> {
    (user != 0).then(|| vec!["no-new-privileges:true".to_owned()])
}
