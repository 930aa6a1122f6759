//! Requests and the progress of an experiment.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::document::{Experiment, ExperimentLine};
use crate::explanation::Explanation;
use crate::host::{TargetInfo, WorkloadInfo};
use crate::{CellRef, Metric, Sample, Size};

/// Ask for an experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    /// Targets by name; with `wasm`, all that run modules where none is named, and with `suite`, all of it.
    pub targets: Vec<String>,
    /// Workloads by name; with `suite`, all of it where none is named.
    pub workloads: Vec<String>,
    /// Size of the workloads.
    pub size: Size,
    /// A set of cells by name, in place of targets and workloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<Suite>,
    /// Runs of each cell.
    pub runs: u32,
    /// When to end before that many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Runs of each cell before those, thrown away.
    pub warmup: u32,
    /// Seed of the order of runs; chosen by the daemon where absent.
    pub seed: Option<u64>,
    /// A module of the caller's own, in place of workloads.
    pub wasm: Option<PathBuf>,
    /// An image of the container engine's, in place of targets and workloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Any command, in place of targets and workloads: the program's path and its arguments.
    /// With `wasm`, the guest's arguments; with `image`, what the container runs in place of the image's command.
    pub command: Vec<String>,
    /// The caller's working directory.
    pub cwd: PathBuf,
    /// The environment a command gets, or with `wasm` the guest, as `NAME=value`.
    pub env: Vec<String>,
    /// Variables of a command's environment that are not UTF-8, byte by byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_bytes: Vec<Vec<u8>>,
    /// Directories the guest of `wasm` may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dirs: Vec<Preopen>,
    /// After how many milliseconds a run is ended and does not count.
    pub time_limit_ms: u64,
    /// How much memory a run may have, in MiB, before the kernel ends it and it does not count.
    pub memory_limit_mib: u64,
    /// Whether every context switch of a target's is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub switches: bool,
    /// What is chosen of the conditions that targets run under.
    #[serde(default, skip_serializing_if = "Conditions::are_usual")]
    pub conditions: Conditions,
}

/// What is chosen of the conditions that targets run under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// CPUs that targets may use, by number; the caller's own where none is named.
    pub cpus: Vec<u32>,
    /// Whether the addresses of a target's memory are the same in every run.
    pub fixed_addresses: bool,
    /// Whether each run's environment is made longer by a random length.
    pub env_padding: bool,
    /// What is done about the page cache before each run.
    pub page_cache: PageCache,
}

impl Conditions {
    fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What is done about the page cache before each run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageCache {
    /// Nothing: runs before warmed it.
    #[default]
    Warm,
    /// The target's own files are dropped from it.
    Cold,
}

/// When an experiment ends before all its runs are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Until {
    /// Once the medians of every cell's start-up and wall time are known to within this share, in millionths: the
    /// farther end of the 95 % interval from the median.
    pub half_width_ppm: u32,
    /// After how many milliseconds of runs at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_ms: Option<u64>,
}

/// A set of cells by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suite {
    /// The seed study's table: every target but `native-dynamic`, every workload. Interpreters
    /// run at size `small`, and so does `native` once more, for them to be compared with.
    Seed,
}

/// A directory that a guest may use. It is opened by the runner, which has the caller's rights and no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preopen {
    /// Its absolute path here.
    pub host: String,
    /// The name the guest knows it by.
    pub guest: String,
}

/// News of an experiment under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Other experiments come first.
    Queued {
        /// How many.
        ahead: u32,
    },
    /// Something is made ready, such as code compiled ahead of time.
    Preparing(String),
    /// The runs begin.
    Started {
        /// The experiment's name.
        experiment: String,
        /// Runs to make, over all cells, warm-ups included.
        runs: u32,
    },
    /// Runs were made.
    Ran {
        /// Runs made so far, over all cells, warm-ups included.
        done: u32,
        /// Of these, how many do not count.
        failed: u32,
    },
    /// Something to know about the figures.
    Warning(String),
    /// The experiment is over.
    Finished(Box<Experiment>),
    /// The difference is explained.
    Explained(Box<Explanation>),
}

/// Nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// Some runs of a cell: they come in pieces, since there may be millions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunBatch {
    /// The cell's number in its experiment, from 0.
    pub cell: usize,
    /// The next of its runs, in their order.
    pub samples: Vec<Sample>,
}

/// Name an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentName {
    /// The experiment's name, or `latest`.
    pub experiment: String,
}

/// Ask for a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompareRequest {
    /// A cell, or all cells of an experiment.
    pub a: CellRef,
    /// What is held against it.
    pub b: CellRef,
    /// What to compare; the usual metrics, as far as both have them, where none is named.
    pub metrics: Vec<Metric>,
}

/// Ask for the cells that break the pattern of the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnomaliesRequest {
    /// The experiment's name, or `latest`.
    pub experiment: String,
    /// What to look at; the usual metrics where none is named.
    pub metrics: Vec<Metric>,
}

/// Ask why one cell differs from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainRequest {
    /// The cell to explain.
    pub a: CellRef,
    /// What it is held against.
    pub b: CellRef,
}

/// What was explained of an experiment's cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanations {
    /// The experiment's name.
    pub experiment: String,
    /// The last one of each pair of cells of which one is the experiment's, the newest first.
    pub explanations: Vec<KeptExplanation>,
}

/// An explanation as it was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptExplanation {
    /// When it was made, in seconds since the Unix epoch.
    pub created: u64,
    /// What came of it.
    pub explanation: Explanation,
}

/// Ask for histograms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistogramRequest {
    /// The experiment's name, or `latest`.
    pub experiment: String,
    /// The metric.
    pub metric: Metric,
}

/// Ask for timelines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRequest {
    /// The experiment's name, or `latest`.
    pub experiment: String,
    /// One run of each cell; the median of all valid ones where absent.
    pub run: Option<u32>,
}

/// The targets there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetList {
    /// Each, available or not.
    pub targets: Vec<TargetInfo>,
}

/// The workloads there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadList {
    /// Each, available or not.
    pub workloads: Vec<WorkloadInfo>,
}

/// The experiments there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentList {
    /// The newest first.
    pub experiments: Vec<ExperimentLine>,
}

/// Histograms of one metric, cell by cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histograms {
    /// The experiment's name.
    pub experiment: String,
    /// One for each cell that has the metric.
    pub cells: Vec<crate::document::Distribution>,
}

/// Timelines, cell by cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timelines {
    /// The experiment's name.
    pub experiment: String,
    /// One for each cell that has the run.
    pub cells: Vec<crate::document::Timeline>,
}
