//! Why one cell differs from another: causes, ranked by the share of the difference they carry.

use serde::{Deserialize, Serialize};

use crate::compare::ComparedCell;
use crate::profile::Profile;

/// The document of `wbctl --json explain A B`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// The cell that is held against the other.
    pub a: ComparedCell,
    /// The other.
    pub b: ComparedCell,
    /// How far apart they were when they were recorded, where both have runs that count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Difference>,
    /// How far apart they are now, in runs without probes, made in turns.
    pub difference: Difference,
    /// Of that, what lies before the guest's first instruction, where that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_guest: Option<Difference>,
    /// Ranked by share, the largest first; empty where there is nothing to explain.
    pub causes: Vec<Cause>,
    /// What could not be attributed, as a share of the difference.
    pub unattributed: f64,
    /// How much longer the runs took under the probes: A's, B's, as a ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowdown: Option<[f64; 2]>,
    /// Changes of one factor that were tried, and what came of them.
    #[serde(default)]
    pub experiments: Vec<Trial>,
    /// What the reader should know before believing it.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What it comes to, in words.
    pub verdict: String,
    /// The runs under probes that this is drawn from: A's, then B's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<Profile>,
}

/// How far apart two cells are, in wall time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// A's median less B's, in nanoseconds.
    pub ns: i64,
    /// A's median over B's.
    pub ratio: f64,
}

/// Something that carries a share of the difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// Of what kind it is.
    pub kind: CauseKind,
    /// What share of the difference it carries; more than 1 where another cause works against it.
    pub share: f64,
    /// It in a sentence with figures.
    pub text: String,
    /// The figures, by finer names.
    pub evidence: serde_json::Value,
    /// Whether a change of this one factor made the difference vanish or scale.
    pub confirmed: bool,
}

/// The kinds of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// The program's own or the guest's code.
    UserCpu,
    /// An engine's code.
    EngineCpu,
    /// An engine compiles.
    Compile,
    /// System calls, on a CPU.
    Syscalls,
    /// Waiting for another thread.
    LockWait,
    /// Sleeping by its own will.
    Sleep,
    /// Waiting for a disk, a pipe or a socket.
    IoWait,
    /// Page faults.
    PageFaults,
    /// Making processes and threads.
    Processes,
    /// Memory that does not come as fast as the CPU asks.
    MemoryBandwidth,
    /// Others on the machine: not the program's fault.
    Interference,
}

impl std::fmt::Display for CauseKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UserCpu => "user-cpu",
            Self::EngineCpu => "engine-cpu",
            Self::Compile => "compile",
            Self::Syscalls => "syscalls",
            Self::LockWait => "lock-wait",
            Self::Sleep => "sleep",
            Self::IoWait => "io-wait",
            Self::PageFaults => "page-faults",
            Self::Processes => "processes",
            Self::MemoryBandwidth => "memory-bandwidth",
            Self::Interference => "interference",
        })
    }
}

/// A change of one factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What was changed, such as `standard output to a file`.
    pub change: String,
    /// The cause it puts to the test.
    pub kind: CauseKind,
    /// The difference with the change.
    pub difference: Difference,
    /// Whether the cause survived it.
    pub confirms: bool,
    /// What it comes to, in words.
    pub text: String,
}
