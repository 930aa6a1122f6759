//! Everything that can end `wbctl` without its job done, and the exit code of each: the one place for both.
//!
//! | exit code | meaning | gRPC statuses |
//! | --- | --- | --- |
//! | 0 | done | `Ok` |
//! | 1 | a run failed, or something broke that is nobody's fault here | all others |
//! | 2 | bad usage: another command line would help | `InvalidArgument`, `NotFound` |
//! | 3 | the daemon cannot be reached | `Unavailable`, and whatever the connection itself came to |
//! | 4 | refused: the daemon understood and will not | `PermissionDenied`, `ResourceExhausted`, `FailedPrecondition` |
//! | 130 | interrupted (Ctrl-C), as shells have it | none |
//!
//! A message says what happened, to what, and what to do next where something can be done.

use std::error::Error;

use tonic::{Code, Status};

/// Why the job was not done, as a sentence for the user.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A run failed, or something broke.
    #[error("{0}")]
    Failed(String),
    /// The command line asks for nothing that can be done.
    #[error("{0}")]
    Usage(String),
    /// No daemon answers.
    #[error("{0}")]
    Unreachable(String),
    /// The daemon will not.
    #[error("refused: {0}")]
    Refused(String),
    /// The user ended it.
    #[error("{0}")]
    Interrupted(String),
}

impl Failure {
    /// The code the process exits with.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Refused(_) => 4,
            Self::Interrupted(_) => 130,
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        if let Some(cause) = status.source() {
            return broken(innermost(cause));
        }
        let message = status.message().to_owned();
        match status.code() {
            Code::InvalidArgument | Code::NotFound => Self::Usage(message),
            Code::PermissionDenied | Code::ResourceExhausted | Code::FailedPrecondition => {
                Self::Refused(message)
            }
            Code::Unavailable => Self::Unreachable(message),
            Code::Unimplemented => Self::Failed(format!(
                "the daemon does not know this command: it and wbctl are of different versions ({message})"
            )),
            code => Self::Failed(format!("the daemon failed: {message} ({code:?})")),
        }
    }
}

/// Only a status made on this side has a source: the connection did not hold.
fn broken(cause: &dyn Error) -> Failure {
    Failure::Unreachable(format!(
        "the connection to the daemon broke: {cause}; its log says why, and an experiment under way is over"
    ))
}

/// The cause at the bottom, which is the one that says something.
pub(crate) fn innermost<'a>(mut cause: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_exit_code_of_the_table() {
        for number in 1..=16 {
            let code = Code::from_i32(number);
            let expected = match code {
                Code::InvalidArgument | Code::NotFound => 2,
                Code::Unavailable => 3,
                Code::PermissionDenied | Code::ResourceExhausted | Code::FailedPrecondition => 4,
                _ => 1,
            };
            let failure = Failure::from(Status::new(code, "why"));
            assert_eq!(failure.exit_code(), expected, "{code:?}");
            assert!(failure.to_string().contains("why"), "{failure}");
        }
    }

    #[test]
    fn a_broken_connection_is_an_unreachable_daemon() {
        let status = Status::from_error(Box::new(std::io::Error::other("pipe gone")));
        let failure = Failure::from(status);
        assert_eq!(failure.exit_code(), 3);
        assert!(failure.to_string().contains("pipe gone"), "{failure}");
    }
}
