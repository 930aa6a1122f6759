//! Outliers: runs far slower than the rest of their cell, each with the likeliest cause.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Metric;

/// Outliers that a document lists one by one, at most.
pub const MOST_LISTED: usize = 20;

/// A run far slower than the rest of its cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlier {
    /// Its number within the cell.
    pub run: u32,
    /// The metric in which it stands out.
    pub metric: Metric,
    /// Its value there.
    pub value: u64,
    /// What explains most of its excess over the cell's median.
    pub cause: Cause,
    /// How much of the excess that explains, from 0 to 1.
    pub share: f64,
}

/// Why a run took longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It was runnable, and others ran.
    WaitedForCpu,
    /// Interrupts.
    Interrupts,
    /// The hypervisor took its CPU away.
    Steal,
    /// Pages had to be read from a disk.
    MajorFaults,
    /// It slept: for a lock, a child, a file.
    Blocked,
    /// It computed longer after it was moved to another CPU or preempted: cold caches.
    Displaced,
    /// It computed longer by itself.
    Program,
    /// What was measured does not tell.
    Unexplained,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::WaitedForCpu => "waited for a CPU",
            Self::Interrupts => "interrupts",
            Self::Steal => "stolen by the hypervisor",
            Self::MajorFaults => "pages read from disk",
            Self::Blocked => "slept",
            Self::Displaced => "moved or preempted",
            Self::Program => "the program itself",
            Self::Unexplained => "unexplained",
        })
    }
}

/// How many outliers each cause has.
pub type Causes = BTreeMap<Cause, u32>;
