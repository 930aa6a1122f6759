//! Answers from the store.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;
use tonic::Status;
use wbd_analysis::compare::Side;
use wbd_analysis::phases;
use wbd_model::document::{Distribution, Timeline};
use wbd_model::request::{
    AnomaliesRequest, CompareRequest, ExperimentName, Explanations, HistogramRequest, Histograms, RunBatch,
    TimelineRequest, Timelines,
};
use wbd_model::{Anomalies, Cell, CellRef, Comparison, Experiment, Metric, Report};

use super::status::{no_experiment, of_store};
use crate::session::summary::sum_up;
use crate::store::{Reader, StoreError};
use crate::targets::assets::Assets;
use crate::targets::workloads;

/// Runs in one piece of an answer: a megabyte or two.
const BATCH_RUNS: usize = 1000;
/// How long a client may take over one piece. Who reads nothing keeps the store's log from being folded in.
const PATIENCE: Duration = Duration::from_secs(60);

/// An experiment's document; one that was cut short is summed up now.
pub(crate) fn show(reader: &Reader, request: &ExperimentName) -> Result<Experiment, Status> {
    document(reader, &request.experiment, false)
}

/// The same with all its runs.
pub(crate) fn with_runs(reader: &Reader, name: &str) -> Result<Experiment, Status> {
    document(reader, name, true)
}

/// Sends a client all runs of an experiment, in pieces, as fast as it takes them.
pub(crate) fn runs(
    reader: &Reader,
    name: &str,
    client: &Sender<Result<RunBatch, Status>>,
) -> Result<(), Status> {
    let mut next = RunBatch::default();
    let send = |batch: RunBatch| {
        if batch.samples.is_empty() {
            return true;
        }
        let taken = client.send_timeout(Ok(batch), PATIENCE);
        Handle::current().block_on(taken).is_ok()
    };
    let take = |cell, sample| {
        let is_full = next.cell != cell || next.samples.len() == BATCH_RUNS;
        let goes_on = !is_full || send(std::mem::take(&mut next));
        next.cell = cell;
        next.samples.push(sample);
        goes_on
    };
    let found = reader.each_run(name, take).map_err(|error| of_store(&error))?;
    send(next);
    if found { Ok(()) } else { Err(no_experiment(name)) }
}

fn document(reader: &Reader, name: &str, with_runs: bool) -> Result<Experiment, Status> {
    let stored = reader
        .experiment(name, with_runs)
        .map_err(|error| of_store(&error))?;
    let mut stored = stored.ok_or_else(|| no_experiment(name))?;
    if !stored.summed_up {
        let name = stored.experiment.experiment.clone(); // `latest` may be another by now
        for (index, cell) in stored.experiment.cells.iter_mut().enumerate() {
            *cell = summed_up(reader, &name, index, cell).map_err(|error| of_store(&error))?;
        }
    }
    Ok(stored.experiment)
}

fn summed_up(reader: &Reader, name: &str, index: usize, cell: &Cell) -> Result<Cell, StoreError> {
    Ok(Cell {
        samples: cell.samples.clone(),
        ..sum_up(reader, name, index, cell.clone())?.summary
    })
}

/// The histograms of a metric, for the cells that have it.
pub(crate) fn histograms(reader: &Reader, request: &HistogramRequest) -> Result<Histograms, Status> {
    let experiment = document(reader, &request.experiment, false)?;
    let mut cells = Vec::new();
    for (index, cell) in experiment.cells.iter().enumerate() {
        let of = |metric| {
            let found = histogram(reader, &experiment.experiment, index, cell, metric);
            found.map_err(|error| of_store(&error))
        };
        let Some(hdr) = of(request.metric)? else {
            continue;
        };
        let net_hdr = request.metric.net().map_or(Ok(None), of)?;
        cells.push(Distribution {
            target: cell.target.clone(),
            workload: cell.workload.clone(),
            size: cell.size,
            metric: request.metric,
            hdr,
            net_hdr,
        });
    }
    Ok(Histograms {
        experiment: experiment.experiment,
        cells,
    })
}

/// A cell's histogram: the stored one, or one made from its runs where it was cut short.
fn histogram(
    reader: &Reader,
    name: &str,
    index: usize,
    cell: &Cell,
    metric: Metric,
) -> Result<Option<String>, StoreError> {
    let stored = match reader.histogram(name, index, metric)? {
        Some(stored) => Some(stored),
        None if cell.metrics.contains_key(&metric) => sum_up(reader, name, index, cell.clone())?
            .histograms
            .remove(&metric),
        None => None,
    };
    Ok(stored.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// The timelines of one run of each cell, or of the median.
pub(crate) fn timelines(reader: &Reader, request: &TimelineRequest) -> Result<Timelines, Status> {
    let experiment = with_runs(reader, &request.experiment)?;
    let timeline = |cell: &Cell| Timeline {
        target: cell.target.clone(),
        workload: cell.workload.clone(),
        size: cell.size,
        run: request.run,
        marks: phases::timeline(&cell.samples, request.run),
    };
    let of_cells = experiment.cells.iter().map(timeline);
    let cells: Vec<_> = of_cells.filter(|line| !line.marks.is_empty()).collect();
    if let Some(run) = request.run.filter(|_| cells.is_empty()) {
        return Err(Status::not_found(format!(
            "no cell of experiment {} has a run {run}; see: wbctl show {} --runs",
            experiment.experiment, experiment.experiment
        )));
    }
    Ok(Timelines {
        experiment: experiment.experiment,
        cells,
    })
}

/// Cells held against each other.
pub(crate) fn compare(reader: &Reader, request: &CompareRequest) -> Result<Comparison, Status> {
    let of = |name: &CellRef| with_runs(reader, &name.experiment);
    let (a, b) = (of(&request.a)?, of(&request.b)?);
    let a = Side {
        name: &request.a,
        experiment: &a,
    };
    let b = Side {
        name: &request.b,
        experiment: &b,
    };
    wbd_analysis::compare(&a, &b, &request.metrics)
        .map_err(|error| Status::invalid_argument(error.to_string()))
}

/// The cells that break the pattern of the rest.
pub(crate) fn anomalies(reader: &Reader, request: &AnomaliesRequest) -> Result<Anomalies, Status> {
    let experiment = with_runs(reader, &request.experiment)?;
    Ok(wbd_analysis::anomalies(&experiment, &request.metrics))
}

/// What was explained of an experiment's cells.
pub(crate) fn explanations(reader: &Reader, request: &ExperimentName) -> Result<Explanations, Status> {
    let name = &request.experiment;
    let kept = reader.explanations(name).map_err(|error| of_store(&error))?;
    kept.ok_or_else(|| no_experiment(name))
}

/// An experiment beside the study this project grew out of.
pub(crate) fn report(reader: &Reader, assets: &Assets, request: &ExperimentName) -> Result<Report, Status> {
    let experiment = with_runs(reader, &request.experiment)?;
    let manifests = workloads::manifests(assets);
    let size = |workload: &str, args: &[String]| manifests.get(workload)?.size_of(args);
    Ok(wbd_analysis::report::report(&experiment, &size))
}
