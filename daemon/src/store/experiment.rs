//! What the store is given of an experiment: before its first run, and after its last.

use std::collections::BTreeMap;

use wbd_model::host::Machine;
use wbd_model::{Cell, Metric, RunRequest};

/// What is known of an experiment before its first run.
#[derive(Clone, Debug)]
pub(crate) struct NewExperiment {
    /// Who asked for it.
    pub(crate) owner_uid: u32,
    /// When: seconds since the Unix epoch.
    pub(crate) created: u64,
    /// Seed of the order of runs.
    pub(crate) seed: u64,
    /// What was asked for.
    pub(crate) request: RunRequest,
    /// The machine it runs on.
    pub(crate) machine: Machine,
    /// What the reader should know before believing the figures.
    pub(crate) warnings: Vec<String>,
    /// Its cells, by their number.
    pub(crate) cells: Vec<NewCell>,
}

/// What is known of a cell before its first run.
#[derive(Clone, Debug)]
pub(crate) struct NewCell {
    /// Name of the target.
    pub(crate) target: String,
    /// Name of the workload.
    pub(crate) workload: String,
    /// The workload's arguments.
    pub(crate) args: Vec<String>,
    /// Cache state of its figures.
    pub(crate) cache: String,
    /// Runs asked for.
    pub(crate) runs: u32,
}

/// What is made of a cell's runs when they are over.
#[derive(Clone, Debug)]
pub(crate) struct FinishedCell {
    /// The cell's document, its samples left empty.
    pub(crate) summary: Cell,
    /// A serialised histogram for each metric.
    pub(crate) histograms: BTreeMap<Metric, Vec<u8>>,
}
