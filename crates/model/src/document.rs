//! Documents: what the client prints with `--json` and draws without.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::Machine;
use crate::outlier::{Causes, Outlier};
use crate::thread::ThreadTrace;
use crate::{Confidence, InstantName, Instants, Metric, Size, Summary};

/// An experiment: a set of cells, each run a number of times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Its name, unique in the store.
    pub experiment: String,
    /// When it was asked for: seconds since the Unix epoch.
    pub created: u64,
    /// How far it came.
    pub state: State,
    /// Seed of the order of runs.
    pub seed: u64,
    /// The machine it ran on.
    pub machine: Machine,
    /// Its cells, by their number.
    pub cells: Vec<Cell>,
    /// What the reader should know before believing the figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How far an experiment came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its runs are under way.
    Running,
    /// All its runs were made.
    Done,
    /// It ended early: the client went away, the daemon stopped or the store refused a run.
    Interrupted,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Interrupted => "interrupted",
        })
    }
}

/// A target with a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Name of the target.
    pub target: String,
    /// Name of the workload.
    pub workload: String,
    /// The workload's arguments.
    pub args: Vec<String>,
    /// The workload's size, where it has sizes. Cells of one workload compare where `args` are the same. Absent, as
    /// `disk` is, from an experiment that was never summed up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// What it takes on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
    /// Cache state of the figures: page cache and code, such as `page cache warm, code compiled now`.
    #[serde(default)]
    pub cache: String,
    /// Runs asked for.
    pub runs: u32,
    /// Runs that count.
    pub valid: u32,
    /// Runs made that do not count.
    pub failed: u32,
    /// Each metric over the valid runs.
    pub metrics: BTreeMap<Metric, Summary>,
    /// The phases between consecutive instants, medians over the valid runs.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// What could not be measured, and why.
    #[serde(default)]
    pub unavailable: BTreeMap<Metric, String>,
    /// The runs themselves, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// The first reason of each kind for which runs do not count, and how many it struck.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, u32>,
    /// What was noted on runs that count, and how often.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remarks: BTreeMap<String, u32>,
    /// The slowest of the runs that are far slower than the rest, at most [`crate::outlier::MOST_LISTED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outliers: Vec<Outlier>,
    /// How many such runs there are in all, by cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outlier_causes: Causes,
}

/// What it takes on disk to run a cell, in bytes: what would have to be shipped to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The program itself: the native program, the module or the machine code made of it, the container's image.
    pub program: u64,
    /// A Wasm engine: its runner, and the libraries it brings. Absent where there is none; a container's engine is
    /// not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<u64>,
}

/// The time between two consecutive instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The instant it starts with.
    pub from: InstantName,
    /// The instant it ends with.
    pub to: InstantName,
    /// Its length in nanoseconds.
    pub ns: u64,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its number within the cell, from 0.
    pub run: u32,
    /// Its place in the shuffled order of the whole experiment, from 0.
    pub order: u32,
    /// Whether it counts.
    pub valid: bool,
    /// How it ended.
    pub exit: Exit,
    /// What was seen, and when.
    pub instants: Instants,
    /// What was measured. A metric that could not be measured is absent.
    pub metrics: BTreeMap<Metric, u64>,
    /// Why it does not count, and what else is worth knowing.
    pub notes: Vec<String>,
    /// Where its threads were, moment by moment, where its context switches were recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<ThreadTrace>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It never ran: why.
    NotStarted(String),
}

/// An experiment on one line of a listing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentLine {
    /// Its name.
    pub experiment: String,
    /// When it was asked for: seconds since the Unix epoch.
    pub created: u64,
    /// How far it came.
    pub state: State,
    /// Its targets, each once.
    pub targets: Vec<String>,
    /// Its workloads, each once.
    pub workloads: Vec<String>,
    /// Runs made.
    pub runs: u64,
    /// Runs made that do not count.
    pub failed: u64,
}

/// The distribution of one metric of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Name of the target.
    pub target: String,
    /// Name of the workload.
    pub workload: String,
    /// The workload's size, where it has sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The metric.
    pub metric: Metric,
    /// The HDR histogram in its V2 interval-independent encoding, base64.
    pub hdr: String,
    /// The same of the metric's values without interference, where it has such: see [`Metric::net`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_hdr: Option<String>,
}

/// The phases of launches as a waterfall, cell by cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Name of the target.
    pub target: String,
    /// Name of the workload.
    pub workload: String,
    /// The workload's size, where it has sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The run shown, or none where medians of all valid runs are.
    pub run: Option<u32>,
    /// Instants as offsets from `launch`, in nanoseconds, earliest first.
    pub marks: Vec<TimelineMark>,
}

/// One instant of a [`Timeline`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineMark {
    /// Which.
    pub name: InstantName,
    /// Nanoseconds since `launch`.
    pub offset_ns: i64,
    /// How it was seen.
    pub method: String,
    /// How far to trust it, where it was not seen itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
}
