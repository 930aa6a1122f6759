//! What is made of a cell's runs.

use std::collections::BTreeMap;

use wbd_analysis::{Runs, drift, histogram, outlier, phases, summary};
use wbd_model::outlier::MOST_LISTED;
use wbd_model::{Cell, InstantName, Metric, Sample};

use crate::store::{FinishedCell, Reader, StoreError};

/// Sums up the stored runs of a cell, by its number in the experiment of this name. `cell` brings its names, and what
/// cannot be measured at all.
pub(crate) fn sum_up(
    reader: &Reader,
    name: &str,
    number: usize,
    cell: Cell,
) -> Result<FinishedCell, StoreError> {
    let mut seen = Seen::default();
    reader.each_sample(name, number, |sample| seen.take(&sample))?;
    Ok(seen.sum_up(cell))
}

/// What is kept in memory of a cell's runs: all figures, and how often each note was made.
#[derive(Default)]
pub(super) struct Seen {
    runs: Runs,
    failed: u32,
    /// How often each reason struck: the first note of every run that does not count.
    failures: BTreeMap<String, u32>,
    /// How often each note was made on the runs that count.
    remarks: BTreeMap<String, u32>,
}

impl Seen {
    /// Takes up a run.
    pub(super) fn take(&mut self, sample: &Sample) {
        self.runs.add(sample);
        if sample.valid {
            sample
                .notes
                .iter()
                .for_each(|note| count(&mut self.remarks, note));
        } else {
            self.failed += 1;
            let reason = sample.notes.first();
            count(
                &mut self.failures,
                reason.map_or("no reason was noted", String::as_str),
            );
        }
    }

    /// `cell` brings its names, and what cannot be measured at all.
    pub(super) fn sum_up(self, mut cell: Cell) -> FinishedCell {
        let runs = self.runs;
        cell.valid = u32::try_from(runs.len()).unwrap_or(u32::MAX);
        cell.failed = self.failed;
        cell.phases = phases::median_phases(&runs);
        cell.failures = self.failures;
        cell.remarks = self.remarks;
        cell.remarks.extend(drifts(&runs, cell.valid));
        note_outliers(&mut cell, &runs);
        let histograms = note_metrics(&mut cell, &runs);
        explain_absent(&mut cell, &runs);
        FinishedCell {
            summary: cell,
            histograms,
        }
    }
}

fn count(texts: &mut BTreeMap<String, u32>, text: &str) {
    match texts.get_mut(text) {
        Some(count) => *count += 1,
        None => drop(texts.insert(text.to_owned(), 1)),
    }
}

/// Sums up each metric; the histograms that were made of them.
fn note_metrics(cell: &mut Cell, runs: &Runs) -> BTreeMap<Metric, Vec<u8>> {
    let mut histograms = BTreeMap::new();
    for metric in Metric::ALL {
        let values = runs.values(metric);
        let Some(summary) = summary::summarize(metric, &values) else {
            continue;
        };
        cell.metrics.insert(metric, summary);
        if let Ok(encoded) = histogram::from_values(&values).and_then(|made| histogram::encode(&made)) {
            histograms.insert(metric, encoded.into_bytes());
        }
    }
    histograms
}

/// What rose or fell over the runs, of the figures that a reader looks at first.
fn drifts(runs: &Runs, valid: u32) -> impl Iterator<Item = (String, u32)> {
    [Metric::Startup, Metric::Wall]
        .into_iter()
        .filter_map(|metric| Some(drift::of_values(&runs.values(metric))?.text(metric)))
        .map(move |text| (text, valid))
}

fn note_outliers(cell: &mut Cell, runs: &Runs) {
    cell.outliers = outlier::outliers(runs);
    for outlier in &cell.outliers {
        *cell.outlier_causes.entry(outlier.cause).or_insert(0) += 1;
    }
    cell.outliers.truncate(MOST_LISTED);
}

/// Metrics that every target should have.
const EXPECTED: [Metric; 21] = [
    Metric::Startup,
    Metric::Execution,
    Metric::Wall,
    Metric::CpuTime,
    Metric::RunqueueWait,
    Metric::OffCpu,
    Metric::RssPeak,
    Metric::CgroupPeak,
    Metric::PageFaults,
    Metric::StartupWait,
    Metric::ExecutionWait,
    Metric::NetStartup,
    Metric::NetExecution,
    Metric::NetWall,
    Metric::InterruptTime,
    Metric::Interrupts,
    Metric::Steal,
    Metric::VoluntarySwitches,
    Metric::InvoluntarySwitches,
    Metric::MinorFaults,
    Metric::MajorFaults,
];

/// Metrics that containers should have besides.
const EXPECTED_OF_CONTAINERS: [Metric; 7] = [
    Metric::ContainerRest,
    Metric::ShimRss,
    Metric::EngineGrowth,
    Metric::ShimCpu,
    Metric::RuncCpu,
    Metric::ContainerdCpu,
    Metric::DockerdCpu,
];

/// What only a processor's own counters count.
const HARDWARE: [Metric; 14] = [
    Metric::Cycles,
    Metric::Instructions,
    Metric::Branches,
    Metric::BranchMisses,
    Metric::CacheMisses,
    Metric::DtlbMisses,
    Metric::ItlbMisses,
    Metric::CyclesUser,
    Metric::InstructionsUser,
    Metric::BranchesUser,
    Metric::BranchMissesUser,
    Metric::CacheMissesUser,
    Metric::DtlbMissesUser,
    Metric::ItlbMissesUser,
];

/// Says why metrics that every target should have are not there.
fn explain_absent(cell: &mut Cell, runs: &Runs) {
    let container = runs.has(InstantName::StartSent);
    let of_containers = EXPECTED_OF_CONTAINERS.into_iter().filter(|_| container);
    // What keeps a cell from being run keeps it from all figures.
    let of_the_cell = cell.unavailable.get(&Metric::Wall).cloned();
    for metric in EXPECTED.into_iter().chain(HARDWARE).chain(of_containers) {
        if !cell.metrics.contains_key(&metric) {
            let why = if runs.is_empty() {
                of_the_cell.as_deref().unwrap_or("no run counts")
            } else {
                why_absent(metric, container)
            };
            cell.unavailable.entry(metric).or_insert_with(|| why.to_owned());
        }
    }
}

/// Why a metric is missing from runs that count.
fn why_absent(metric: Metric, container: bool) -> &'static str {
    match metric {
        Metric::Steal => {
            "no CPU's time was ever stolen, or the hypervisor does not tell, or the kernel has no CONFIG_PARAVIRT_TIME_ACCOUNTING"
        }
        Metric::StartupWait | Metric::NetStartup | Metric::NetWall if container => {
            "part of a container's wall time passes before its process exists; see net_execution"
        }
        Metric::VoluntarySwitches
        | Metric::InvoluntarySwitches
        | Metric::MinorFaults
        | Metric::MajorFaults
            if container =>
        {
            "the process was runc's before it was the program's, and its threads' counts cannot be told apart; see page_faults and context_switches"
        }
        Metric::Startup
        | Metric::Execution
        | Metric::StartupWait
        | Metric::ExecutionWait
        | Metric::NetStartup
        | Metric::NetExecution => {
            "the first instruction of the user's code was not seen: its page was already mapped, or an engine ran it that marks nothing and it printed nothing, or it was to run in a container that was not seen"
        }
        Metric::RssPeak => "the process had no memory map any more when its end was reported",
        Metric::CgroupPeak => {
            "the kernel keeps no peak of this cgroup's memory; Linux 5.19 or newer with the memory controller does"
        }
        Metric::ContainerRest => {
            "the cgroup's peak or the process's is missing, or the process's is larger: shared pages are charged elsewhere"
        }
        Metric::ShimRss => {
            "no shim was seen to end: the engine's processes were not found, or it outlived the run"
        }
        Metric::ShimCpu | Metric::RuncCpu => {
            "the kernel refuses taskstats (CONFIG_TASKSTATS, initial namespaces), or the engine's processes were not found"
        }
        Metric::EngineGrowth | Metric::ContainerdCpu | Metric::DockerdCpu => {
            "dockerd or containerd was not found in this PID namespace, or the kernel refuses taskstats"
        }
        _ if HARDWARE.contains(&metric) => {
            "no run had its turn at it: this processor counts so many events at once that runs share them out; make more runs, and see what else counts (perf, or the kernel's own watchdog: sysctl kernel.nmi_watchdog=0)"
        }
        Metric::OffCpu => {
            "part of a container's wall time passes before its process exists; see the phases and runqueue_wait"
        }
        _ => "the kernel reported no figure for it",
    }
}
