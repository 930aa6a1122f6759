//! Cells that break the pattern which the others of their experiment make.

use serde::{Deserialize, Serialize};

use crate::Metric;
use crate::compare::ComparedCell;

/// The document of `wbctl --json anomalies EXPERIMENT`; `docs/STATISTICS.md` says how it is computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomalies {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// The experiment's name.
    pub experiment: String,
    /// The chance, over all cells and metrics together, of a cell named in tables that have none.
    pub level: f64,
    /// Metric by metric.
    pub metrics: Vec<Pattern>,
}

/// The pattern of one metric: each target has an effect and each workload has one, and together they make the cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// The metric.
    pub metric: Metric,
    /// Which targets; all of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// How many targets are in it.
    pub targets: usize,
    /// How many workloads; one with other arguments is another.
    pub workloads: usize,
    /// How many cells.
    pub cells: usize,
    /// How far a cell commonly is from the pattern, as a share: half of them are nearer. Absent without a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typical: Option<f64>,
    /// The cells that break it, the strangest first.
    pub anomalies: Vec<Anomaly>,
    /// What it comes to, in words; why there is no pattern, where there is none.
    pub text: String,
}

/// Targets whose start-up goes by a pattern of its own: a module's size matters to one that compiles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// They compile in every run.
    Compiling,
    /// They do not.
    NotCompiling,
}

/// A cell that breaks the pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Which.
    pub cell: ComparedCell,
    /// Its median.
    pub value: u64,
    /// What its target and its workload suggest.
    pub expected: f64,
    /// The one over the other.
    pub ratio: f64,
    /// The 95 % interval of the ratio; absent where the cell has but one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci95: Option<[f64; 2]>,
    /// The chance that some cell is as far off in a table without anomalies.
    pub p: f64,
    /// It in a sentence.
    pub text: String,
    /// A cell like it that keeps to the pattern, to hold it against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<ComparedCell>,
    /// The command that explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
