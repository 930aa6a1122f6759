//! What can go wrong with the engine, in sentences that end with what to do.
//!
//! A caller tells two cases apart: there is no usable engine ([`EngineError::Unreachable`],
//! [`EngineError::NotLocal`]), so container targets are unavailable; or the engine refused one request, so
//! one run failed.

use std::io;
use std::path::PathBuf;

use bollard::errors::Error;
use wbd_model::host::Unavailable;

/// The engine did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// Nobody answers on the socket.
    #[error(
        "the container engine does not answer at {socket}: {cause}; start dockerd (`systemctl start docker`), \
         or set DOCKER_HOST to the socket of an engine that runs",
        socket = .socket.display()
    )]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What was met.
        cause: Error,
    },
    /// The engine is not on this machine.
    #[error(
        "DOCKER_HOST is `{0}`, and only an engine on this machine can be watched; \
         unset it, or set it to unix:///PATH of a local engine's socket"
    )]
    NotLocal(String),
    /// The engine lets systemd make containers' cgroups.
    #[error(
        "the container engine has its cgroups made by systemd, which takes none of ours as a parent; \
         put {{\"exec-opts\": [\"native.cgroupdriver=cgroupfs\"]}} into /etc/docker/daemon.json and restart it"
    )]
    SystemdDriver,
    /// There is no such image.
    #[error("the container engine has no image `{0}`; fetch it (`docker pull {0}`), or see `docker images`")]
    NoImage(String),
    /// A program cannot be put into an image.
    #[error("cannot read {path} to make an image of it: {cause}; build the workloads again", path = .path.display())]
    Program {
        /// The program.
        path: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
    /// The engine answered, and not with what was asked for.
    #[error("the container engine did not {request}: {cause}; its log (`journalctl -u docker`) may say more")]
    Refused {
        /// What was asked for, after "did not".
        request: String,
        /// Its answer.
        cause: Error,
    },
    /// The engine did not answer at all.
    #[error("the container engine did not {request}: {cause}; see whether dockerd was stopped")]
    Gone {
        /// What was asked for, after "did not".
        request: String,
        /// What was met.
        cause: Error,
    },
    /// The engine's answer ended early.
    #[error("the container engine did not {0}: its answer ended early; see whether dockerd was stopped")]
    CutShort(String),
}

/// Makes an engine's answer into an error that says what was asked for.
pub(crate) fn refused(request: impl FnOnce() -> String) -> impl FnOnce(Error) -> EngineError {
    |cause| {
        let request = request();
        match cause {
            Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } | Error::IOError { .. } => {
                EngineError::Gone { request, cause }
            }
            _ => EngineError::Refused { request, cause },
        }
    }
}

/// The HTTP status of the engine's refusal, where it gave one.
pub(crate) fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

impl From<EngineError> for Unavailable {
    fn from(error: EngineError) -> Self {
        let text = error.to_string();
        let (why, mend) = text.rsplit_once("; ").unwrap_or((&text, "see the engine's log"));
        Self {
            why: why.to_owned(),
            mend: mend.to_owned(),
        }
    }
}
