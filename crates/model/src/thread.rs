//! Where the threads of a run were, moment by moment, where its context switches were recorded.

use serde::{Deserialize, Serialize};

/// One thread of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadTrace {
    /// Its process.
    pub pid: u32,
    /// It.
    pub tid: u32,
    /// Its command name, the last that was seen; empty where none was.
    pub name: String,
    /// What it did, in order and without gaps, from its first moment in the run to its last.
    pub stretches: Vec<Stretch>,
}

/// A stretch of time in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// When it began: `CLOCK_MONOTONIC`, nanoseconds.
    pub from_ns: u64,
    /// When it ended.
    pub to_ns: u64,
    /// The state.
    pub state: ThreadState,
    /// Running: on which CPU, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadState {
    /// It is on a CPU.
    Running,
    /// It could be, and waits for one.
    Ready,
    /// It waits for something else: input, a lock, a child, a clock.
    Sleeping,
}

impl ThreadState {
    /// As people are told it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ready => "waiting for a CPU",
            Self::Sleeping => "sleeping",
        }
    }
}
