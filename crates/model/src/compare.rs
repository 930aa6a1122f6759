//! A comparison of cells: effect, interval, test and verdict. It is computed by the daemon;
//! `docs/STATISTICS.md` says how.

use serde::{Deserialize, Serialize};

use crate::report::Ratio;
use crate::{Metric, Size, Summary};

/// Cells of B held against cells of A.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// The chance, over all tests together, of a difference found where there is none.
    pub level: f64,
    /// How many tests were made: pairs times metrics.
    pub tests: u32,
    /// The cells, two by two.
    pub pairs: Vec<Pair>,
    /// What the reader should know before believing the verdicts.
    pub warnings: Vec<String>,
}

/// Two cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// What B is held against.
    pub a: ComparedCell,
    /// What is held against it.
    pub b: ComparedCell,
    /// Whether their runs were made in turns: they are then of one experiment, and what the machine did in the
    /// meantime struck both alike.
    pub interleaved: bool,
    /// Metric by metric.
    pub metrics: Vec<Compared>,
}

/// One of two cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedCell {
    /// Its experiment's name.
    pub experiment: String,
    /// Its number there.
    pub number: usize,
    /// Name of the target.
    pub target: String,
    /// Name of the workload.
    pub workload: String,
    /// The workload's arguments.
    pub args: Vec<String>,
    /// The workload's size, where it has sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

/// One metric of two cells. What could not be computed is absent, and `text` says why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The metric.
    pub metric: Metric,
    /// A's figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a: Option<Summary>,
    /// B's figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<Summary>,
    /// B's median over A's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    /// The test for a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,
    /// How far medians of the same cell lay apart, as a share: a smaller difference is not called one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
    /// The difference, as a share, that would have been found in 80 of 100 cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// What it comes to.
    pub verdict: Verdict,
    /// The same in words.
    pub text: String,
}

/// The test of Mann and Whitney, two-sided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// The statistic: pairs of runs of which B's is the larger, half of those that are equal.
    pub u: f64,
    /// The chance of a `u` as far off where nothing differs.
    pub p: f64,
    /// The same after Holm's correction for all tests.
    pub p_holm: f64,
    /// As how many runs one that depends on none counts: 1 where runs do not resemble their neighbours.
    pub dependence: f64,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// B's median is higher: slower, or more.
    Higher,
    /// B's median is lower: faster, or less.
    Lower,
    /// None of the two is to be seen.
    NoDifference,
    /// There is a difference, and the same cell differs as much from itself.
    WithinNoise,
    /// However different, so few runs could not show it.
    TooFew,
    /// There is nothing to compare.
    Incomparable,
}

impl Verdict {
    /// Whether a difference was found.
    #[must_use]
    pub const fn is_difference(self) -> bool {
        matches!(self, Self::Higher | Self::Lower)
    }
}
