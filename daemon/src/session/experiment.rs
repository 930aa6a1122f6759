//! An experiment: attached, begun in the store, run, summed up and finished.

use std::time::{SystemTime, UNIX_EPOCH};

use wbd_model::document::State;
use wbd_model::host::{EntryBias, Machine};
use wbd_model::{Cell, Experiment, Metric, SCHEMA};

use super::attach::attach;
use super::cancel::Cancel;
use super::conditions;
use super::laboratory::Laboratory;
use super::news::News;
use super::plan::{Means, Plan, PlannedCell};
use super::prepare::{containers, engine_processes, prepare, why_nothing};
use super::runs::Runs;
use super::summary::{Seen, sum_up};
use crate::allowance::Refusal;
use crate::collect::kernel::{Kernel, KernelError};
use crate::collect::sample;
use crate::launch::process::{Launcher, MeansError};
use crate::store::{FinishedCell, NewCell, NewExperiment, Recording, Scope, Store, StoreError, Writer};

/// Why an experiment ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExperimentError {
    /// The daemon's own means failed.
    #[error(transparent)]
    Means(#[from] MeansError),
    /// The kernel side failed.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller has no room left.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nothing of what was asked for can be run here.
    #[error("{0}")]
    NothingToRun(String),
}

/// Makes the runs of `plan` and returns the experiment's document.
pub(crate) fn run(
    laboratory: &mut Laboratory,
    plan: &Plan,
    machine: Machine,
    news: &mut News,
    cancel: &Cancel,
) -> Result<Experiment, ExperimentError> {
    let stored = stored_bytes(laboratory, plan)?;
    let mut cells: Vec<Cell> = plan.cells.iter().map(|cell| document(cell, plan)).collect();
    let containers = containers(plan, &laboratory.instance);
    let ready = prepare(laboratory, plan, &containers, &mut cells, news);
    if ready.is_empty() {
        return Err(ExperimentError::NothingToRun(why_nothing(&cells)));
    }
    laboratory.launcher.begin()?;
    note_missing_counters(&laboratory.launcher, &mut cells);
    attach(&mut laboratory.kernel, plan, &ready)?;
    note_missing_interrupts(&laboratory.kernel, &mut cells);
    note_missing_peaks(&laboratory.kernel, &mut cells);
    let mut writer = laboratory.store.writer()?;
    let seed = plan.request.seed.unwrap_or_else(chosen_seed);
    let machine = Machine {
        entry_bias: entry_bias(laboratory),
        ..machine
    };
    if plan
        .cells
        .iter()
        .any(|cell| matches!(cell.means, Ok(Means::Client(_))))
    {
        laboratory.launcher.follow(engine_processes());
    }
    let mut new = new_experiment(plan, &cells, machine, seed);
    let recording = begin(&mut writer, &new, &cells)?;
    let mut runs = Runs {
        laboratory,
        plan,
        containers: containers.ok(),
        ready,
        seed,
        failed: 0,
        stored,
        seen: cells.iter().map(|_| Seen::default()).collect(),
        rounds: 0,
        ended: None,
    };
    let made = runs.make(&mut writer, &recording, news, cancel);
    // Also after an error: what was recorded is summed up and kept.
    let state = *made.as_ref().unwrap_or(&State::Interrupted);
    let Runs {
        rounds, ended, seen, ..
    } = runs;
    let mut told = Ok(());
    if let Some(why) = ended {
        cells.iter_mut().for_each(|cell| cell.runs = rounds);
        new.warnings.push(why);
        told = writer.tell(&recording, &new.warnings);
    }
    // Runs that find no room in the database stay in the spool, and their cells are summed up when they are there.
    let flushed = writer.flush_at_all_costs();
    let summed_up = flushed.and_then(|()| match made {
        Ok(_) => Ok(seen
            .into_iter()
            .zip(cells)
            .map(|(seen, cell)| seen.sum_up(cell))
            .collect()),
        // It may have struck between what was seen and what was stored, and what is stored counts.
        Err(_) => sum_up_all(&laboratory.store, &recording, cells),
    });
    let kept = writer.finish(&recording, state, summed_up.as_deref().unwrap_or_default());
    made?;
    told?;
    kept?;
    let finished = summed_up?;
    Ok(Experiment {
        schema: SCHEMA,
        experiment: recording.name(),
        created: new.created,
        state,
        seed,
        machine: new.machine,
        cells: finished.into_iter().map(|cell| cell.summary).collect(),
        warnings: new.warnings,
    })
}

/// What the caller's experiments take of the store, if it leaves room for another.
pub(super) fn stored_bytes(laboratory: &Laboratory, plan: &Plan) -> Result<u64, ExperimentError> {
    let uid = plan.caller.uid;
    let stored = laboratory.store.reader(Scope::Owner(uid))?.stored_bytes()?;
    laboratory.allowance.check_disk(uid, stored)?;
    Ok(stored)
}

/// Begins the experiment in the store, with what cannot be measured in it.
fn begin(writer: &mut Writer, new: &NewExperiment, cells: &[Cell]) -> Result<Recording, StoreError> {
    let recording = writer.begin_experiment(new)?;
    for (index, cell) in cells.iter().enumerate() {
        for (&metric, why) in &cell.unavailable {
            writer.record_unavailable(&recording, index, metric, why)?;
        }
    }
    Ok(recording)
}

/// Sums up the recorded runs as they are stored.
fn sum_up_all(
    store: &Store,
    recording: &Recording,
    cells: Vec<Cell>,
) -> Result<Vec<FinishedCell>, StoreError> {
    let reader = store.reader(Scope::All)?;
    let name = recording.name();
    let cells = cells.into_iter().enumerate();
    cells
        .map(|(index, cell)| sum_up(&reader, &name, index, cell))
        .collect()
}

/// A cell's document before its first run.
pub(super) fn document(cell: &PlannedCell, plan: &Plan) -> Cell {
    Cell {
        target: cell.target.clone(),
        workload: cell.workload.clone(),
        args: cell.args.clone(),
        size: cell.size,
        disk: None,
        cache: cache_state(cell, pages(plan.request.warmup)),
        runs: plan.request.runs,
        valid: 0,
        failed: 0,
        metrics: Default::default(),
        phases: Vec::new(),
        unavailable: Default::default(),
        samples: Vec::new(),
        failures: Default::default(),
        remarks: Default::default(),
        outliers: Vec::new(),
        outlier_causes: Default::default(),
    }
}

fn pages(warmup: u32) -> &'static str {
    if warmup > 0 {
        "page cache warm"
    } else {
        "page cache as it was found"
    }
}

/// What a cell's figures are of: `pages` tells of the page cache, and how a Wasm engine comes by its code is added.
pub(super) fn cache_state(cell: &PlannedCell, pages: &str) -> String {
    match &cell.means {
        Ok(Means::Runner { mode, .. }) => format!("{pages}, {}", mode.about()),
        _ => pages.to_owned(),
    }
}

fn entry_bias(laboratory: &mut Laboratory) -> Option<EntryBias> {
    let Laboratory {
        calibration,
        launcher,
        kernel,
        slot,
        ..
    } = laboratory;
    calibration.bias(launcher, kernel, slot)
}

fn note_missing_counters(launcher: &Launcher, cells: &mut [Cell]) {
    for (counted, error) in launcher.missing() {
        let metric = sample::metric_of(*counted);
        let why = format!(
            "this machine has no such hardware counter ({error}); a virtual machine needs its host to pass the PMU through"
        );
        for cell in &mut *cells {
            cell.unavailable.entry(metric).or_insert_with(|| why.clone());
        }
    }
}

/// A time is not net of what was not seen.
fn note_missing_interrupts(kernel: &Kernel, cells: &mut [Cell]) {
    let Some(why) = kernel.no_interrupts() else { return };
    let net = Metric::ALL.into_iter().filter_map(Metric::net);
    for metric in net.chain([Metric::InterruptTime, Metric::Interrupts]) {
        for cell in &mut *cells {
            let why = format!("this kernel's interrupts cannot be seen: {why}");
            cell.unavailable.entry(metric).or_insert(why);
        }
    }
}

fn note_missing_peaks(kernel: &Kernel, cells: &mut [Cell]) {
    let Some(why) = kernel.no_peaks() else { return };
    for cell in cells {
        let why = format!(
            "this kernel drops a process's memory map before it reports the end, and the kprobe that looks before is refused: {why}; Linux 6.16 or newer needs none"
        );
        cell.unavailable.entry(Metric::RssPeak).or_insert(why);
    }
}

fn chosen_seed() -> u64 {
    // 53 bits, so that every JSON reader keeps it whole.
    wbd_linux::clock::monotonic_ns().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11
}

fn new_experiment(plan: &Plan, cells: &[Cell], machine: Machine, seed: u64) -> NewExperiment {
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let new_cell = |cell: &Cell| NewCell {
        target: cell.target.clone(),
        workload: cell.workload.clone(),
        args: cell.args.clone(),
        cache: cell.cache.clone(),
        runs: cell.runs,
    };
    NewExperiment {
        owner_uid: plan.caller.uid,
        created,
        seed,
        request: plan.request.clone(),
        machine,
        warnings: conditions::sentences(plan),
        cells: cells.iter().map(new_cell).collect(),
    }
}
