//! What is made of a cell's runs.

use std::collections::BTreeMap;

use wbd_analysis::{histogram, phases, summary};
use wbd_model::{Cell, Metric, Sample};

use crate::store::FinishedCell;

/// Sums up the runs of a cell. `cell` brings its names, and what cannot be measured at all.
pub(crate) fn sum_up(mut cell: Cell, samples: &[Sample]) -> FinishedCell {
    let valid: Vec<&Sample> = samples.iter().filter(|sample| sample.valid).collect();
    cell.valid = u32::try_from(valid.len()).unwrap_or(u32::MAX);
    cell.failed = u32::try_from(samples.len() - valid.len()).unwrap_or(u32::MAX);
    cell.phases = phases::median_phases(samples);
    cell.failures = failures(samples);
    let mut histograms = BTreeMap::new();
    for metric in Metric::ALL {
        let values: Vec<u64> = valid
            .iter()
            .filter_map(|sample| sample.metrics.get(&metric))
            .copied()
            .collect();
        let Some(summary) = summary::summarize(metric, &values) else {
            continue;
        };
        cell.metrics.insert(metric, summary);
        if let Ok(encoded) = histogram::from_values(&values).and_then(|made| histogram::encode(&made)) {
            histograms.insert(metric, encoded.into_bytes());
        }
    }
    explain_absent(&mut cell, &valid);
    FinishedCell {
        summary: cell,
        histograms,
    }
}

/// How often each reason struck: the first note of every run that does not count.
fn failures(samples: &[Sample]) -> BTreeMap<String, u32> {
    let mut failures = BTreeMap::new();
    for sample in samples.iter().filter(|sample| !sample.valid) {
        let reason = sample
            .notes
            .first()
            .cloned()
            .unwrap_or_else(|| "no reason was noted".to_owned());
        *failures.entry(reason).or_insert(0) += 1;
    }
    failures
}

/// Says why metrics that every target should have are not there.
fn explain_absent(cell: &mut Cell, valid: &[&Sample]) {
    let none_valid = "no run counts";
    let no_entry = "the first instruction at the entry point was not seen: its page was already mapped";
    let no_map =
        "the kernel drops a process's memory map before it reports the end; Linux 6.16 or newer keeps it";
    let no_account = "no run was charged more than one of the kernel's batches (64 pages a CPU with cgroup v1), \
                      or the kernel keeps no peak (Linux 5.19 or newer with the memory controller does)";
    for (metric, why) in [
        (Metric::Startup, no_entry),
        (Metric::Execution, no_entry),
        (Metric::RssPeak, no_map),
        (Metric::CgroupPeak, no_account),
    ] {
        if !cell.metrics.contains_key(&metric) {
            let why = if valid.is_empty() { none_valid } else { why };
            cell.unavailable.entry(metric).or_insert_with(|| why.to_owned());
        }
    }
}
