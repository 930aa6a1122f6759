//! Instants: named points in a run's life.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A named point in a run's life. The order of the variants is the order in which a run passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstantName {
    /// The target's own `execve` enters the kernel; for a container, the create request is sent.
    Launch,
    /// Container: the engine answered the create request.
    Created,
    /// Container: the start request is sent.
    StartSent,
    /// Container: the shim's image is in place.
    ShimExec,
    /// Container: the low-level runtime's (`runc create`) image is in place.
    RuncExec,
    /// Container: its cgroup is made.
    CgroupMade,
    /// Container: its namespaces are made.
    NamespacesMade,
    /// The new image is in place.
    Exec,
    /// First user-mode instruction of the process: the dynamic linker's, or the program's.
    FirstUser,
    /// First instruction at the executable's ELF entry point.
    Entry,
    /// Wasm: the engine is made.
    EngineReady,
    /// Wasm: the code is compiled or loaded.
    ModuleReady,
    /// Wasm: the instance is made.
    InstanceReady,
    /// First instruction of the user's own code.
    Guest,
    /// The process (its whole thread group) ended.
    Exit,
    /// Container: the engine answered the wait request.
    WaitReturned,
}

impl InstantName {
    /// The name as documents spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Created => "created",
            Self::StartSent => "start_sent",
            Self::ShimExec => "shim_exec",
            Self::RuncExec => "runc_exec",
            Self::CgroupMade => "cgroup_made",
            Self::NamespacesMade => "namespaces_made",
            Self::Exec => "exec",
            Self::FirstUser => "first_user",
            Self::Entry => "entry",
            Self::EngineReady => "engine_ready",
            Self::ModuleReady => "module_ready",
            Self::InstanceReady => "instance_ready",
            Self::Guest => "guest",
            Self::Exit => "exit",
            Self::WaitReturned => "wait_returned",
        }
    }
}

impl std::fmt::Display for InstantName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// When an instant was, and how it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instant {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub ns: u64,
    /// The method that observed it, such as `tp:sched_process_exec`.
    pub method: String,
    /// How far to trust it, where it was not seen itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
}

/// How far to trust an instant that was not seen itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Concluded from what the kernel saw: right for the engines it was tried on.
    Inferred,
    /// The instant was not later than this, and may have been earlier.
    UpperBound,
}

impl Confidence {
    /// As people are told it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inferred => "inferred",
            Self::UpperBound => "upper bound",
        }
    }
}

impl Instant {
    /// One that was seen itself.
    #[must_use]
    pub fn seen(ns: u64, method: impl Into<String>) -> Self {
        Self {
            ns,
            method: method.into(),
            confidence: None,
        }
    }
}

/// The instants of one run.
pub type Instants = BTreeMap<InstantName, Instant>;
