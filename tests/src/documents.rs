//! Reading documents.

use wbd_model::{Cell, Experiment, InstantName, Metric, Sample};

/// When an instant of a run was, in nanoseconds.
///
/// # Panics
/// Where the run has no such instant.
#[must_use]
#[track_caller]
pub fn ns(sample: &Sample, name: InstantName) -> u64 {
    let instant = sample.instants.get(&name);
    instant.unwrap_or_else(|| panic!("no {name}: {sample:#?}")).ns
}

/// A metric of a run.
///
/// # Panics
/// Where the run has no such metric.
#[must_use]
#[track_caller]
pub fn metric(sample: &Sample, metric: Metric) -> u64 {
    let value = sample.metrics.get(&metric);
    *value.unwrap_or_else(|| panic!("no {metric}: {sample:#?}"))
}

/// The median of a metric of a cell.
///
/// # Panics
/// Where the cell has no such metric.
#[must_use]
#[track_caller]
pub fn p50(cell: &Cell, metric: Metric) -> u64 {
    let summary = cell.metrics.get(&metric);
    summary.unwrap_or_else(|| panic!("no {metric}: {cell:#?}")).p50
}

/// The cell of a target.
///
/// # Panics
/// Where there is none.
#[must_use]
#[track_caller]
pub fn cell<'a>(experiment: &'a Experiment, target: &str) -> &'a Cell {
    let found = experiment.cells.iter().find(|cell| cell.target == target);
    found.unwrap_or_else(|| panic!("no cell of {target}: {experiment:#?}"))
}

/// The only run of an experiment.
///
/// # Panics
/// Where there are more or none.
#[must_use]
#[track_caller]
pub fn only_run(experiment: &Experiment) -> &Sample {
    let samples: Vec<&Sample> = experiment.cells.iter().flat_map(|cell| &cell.samples).collect();
    assert_eq!(samples.len(), 1, "{experiment:#?}");
    samples[0]
}

/// Asserts that these instants lie in this order in a run.
///
/// # Panics
/// Where they do not, or one is missing.
#[track_caller]
pub fn assert_in_order(sample: &Sample, names: &[InstantName]) {
    for pair in names.windows(2) {
        let [earlier, later] = [pair[0], pair[1]];
        assert!(
            ns(sample, earlier) <= ns(sample, later),
            "{later} before {earlier}: {sample:#?}"
        );
    }
}

/// The median of some figures.
///
/// # Panics
/// Where there are none.
#[must_use]
pub fn median(figures: impl IntoIterator<Item = u64>) -> u64 {
    let mut figures: Vec<u64> = figures.into_iter().collect();
    figures.sort_unstable();
    figures[figures.len() / 2]
}
