//! The report: an experiment's figures beside those of the study this project grew out of. It is computed by
//! the daemon; `docs/REPORT.md` says how.

use serde::{Deserialize, Serialize};

use crate::document::State;
use crate::host::Machine;
use crate::{Metric, Size, Unit};

/// An experiment beside the study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// The experiment's name.
    pub experiment: String,
    /// When it was asked for: seconds since the Unix epoch.
    pub created: u64,
    /// How far it came.
    pub state: State,
    /// Seed of the order of runs.
    pub seed: u64,
    /// The machine it ran on.
    pub machine: Machine,
    /// What the reader should know before believing the figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What the figures are held against.
    pub study: Study,
    /// How many runs of each cell count.
    pub validity: Vec<Validity>,
    /// Time of the whole command, workload by workload.
    pub time: Vec<Group>,
    /// Peak memory, workload by workload.
    pub memory: Vec<Group>,
    /// How soon the first instruction runs.
    pub startup: Startup,
    /// What a container costs beside its program, workload by workload.
    pub overhead: Vec<Overhead>,
    /// The claims the study looked into, answered.
    pub claims: Vec<Claim>,
}

/// What the figures are held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// The machine of the study that was compared with; none where it had none of this architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// By which share an interval is widened before a ratio of the study counts as outside.
    pub tolerance: f64,
}

/// How many runs of a cell count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// Name of the target.
    pub target: String,
    /// Name of the workload.
    pub workload: String,
    /// The workload's arguments.
    pub args: Vec<String>,
    /// Cache state of the figures.
    pub cache: String,
    /// Runs asked for.
    pub runs: u32,
    /// Runs that count.
    pub valid: u32,
    /// Runs made that do not count.
    pub failed: u32,
}

/// The targets' figures with one workload and the same arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Name of the workload.
    pub workload: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// The size they are; none where they are no size of the workload's, or nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// One for each target.
    pub rows: Vec<Row>,
}

/// A target's figure, held against the study's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the target.
    pub target: String,
    /// Its figure, over the native program's.
    #[serde(flatten)]
    pub compared: Compared,
}

/// A figure, its ratio to another, and what the study had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Ours.
    pub figure: Figure,
    /// Ours over the other, or the other way round: what holds this says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    /// The study's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<StudyFigure>,
    /// Whether the two ratios agree.
    pub mark: Mark,
}

/// A median, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// It was measured.
    Measured {
        /// Unit of the numbers below but `n`.
        unit: Unit,
        /// Runs behind it.
        n: u64,
        /// The median.
        p50: u64,
        /// Its 95 % confidence interval.
        ci95: [u64; 2],
    },
    /// It was not: why.
    Absent(String),
}

/// A ratio of two medians.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The one median over the other.
    pub value: f64,
    /// Its 95 % confidence interval.
    pub ci95: [f64; 2],
}

/// A figure as the study printed it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyFigure {
    /// The number.
    pub value: f64,
    /// How it is to be read.
    pub bound: Bound,
    /// Its unit.
    pub unit: StudyUnit,
    /// Over the study's figure of what ours is a ratio to, or the other way round where ours is.
    pub ratio: f64,
    /// How the ratio is to be read.
    pub ratio_bound: Bound,
}

/// The study's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StudyUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Megabytes; the study does not say whether of 1000 or 1024 kilobytes.
    #[serde(rename = "MB")]
    Megabytes,
}

/// How a number is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// It is the figure.
    Exact,
    /// The figure is larger.
    MoreThan,
    /// The figure is smaller.
    LessThan,
}

/// Whether two ratios agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The study's lies in our interval as widened by the tolerance.
    Agrees,
    /// It does not.
    Disagrees,
    /// One of them is missing.
    NotCompared,
}

/// How soon the first instruction runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Startup {
    /// The workload that was started.
    pub workload: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// One for each target.
    pub rows: Vec<Start>,
}

/// How soon a target's first instruction runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Name of the target.
    pub target: String,
    /// From launch to the first instruction of the user's code.
    pub startup: Figure,
    /// The container's `startup` over this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_ratio: Option<Ratio>,
    /// From launch to exit, what the study took for the start: the container's over this one.
    pub wall: Compared,
}

/// What a container costs beside its program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overhead {
    /// The workload inside.
    pub workload: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it costs, part by part.
    pub parts: Vec<Part>,
}

/// One part of what a container costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What it is, in a few words.
    pub part: String,
    /// The metric it is; none where it is a sum of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// How much it is, over the native program's peak memory or CPU time.
    #[serde(flatten)]
    pub compared: Compared,
}

/// A claim, answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// A name for scripts.
    pub name: String,
    /// What is claimed.
    pub claim: String,
    /// What the study found.
    pub study: String,
    /// What it takes to hold, such as `a ratio of at least 10`.
    pub test: String,
    /// Whether it does.
    pub verdict: Verdict,
    /// The ratios it was held against.
    pub evidence: Vec<Evidence>,
    /// What was missing to answer it, or to answer it fully.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval says so.
    Holds,
    /// The whole interval says otherwise.
    Fails,
    /// It holds for some of the evidence.
    Partly,
    /// The interval says both.
    Undecided,
    /// Nothing was measured that could tell.
    Unanswered,
}

/// One ratio a claim was held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Name of the workload.
    pub workload: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What was compared; where absent, the bytes it takes on disk: program and engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The target whose figure is above the line.
    pub over: String,
    /// The target whose figure is below it.
    pub under: String,
    /// The one over the other.
    pub ratio: Ratio,
    /// Whether the claim holds by it.
    pub verdict: Verdict,
}
