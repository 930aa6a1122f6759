//! Answers from the store.

use wbd_analysis::compare::Side;
use wbd_analysis::phases;
use wbd_model::document::{Distribution, Timeline};
use wbd_model::request::{
    AnomaliesRequest, CompareRequest, ExperimentName, HistogramRequest, Histograms, ShowRequest,
    TimelineRequest, Timelines,
};
use wbd_model::{Anomalies, Cell, CellRef, Comparison, Experiment, Metric, Report};

use super::status::{no_experiment, of_store};
use crate::session::summary::sum_up;
use crate::store::{Reader, StoreError};
use crate::targets::assets::Assets;
use crate::targets::workloads;

/// An experiment's document; one that was cut short is summed up now.
pub(crate) fn show(reader: &Reader, request: &ShowRequest) -> Result<Experiment, tonic::Status> {
    let name = &request.experiment;
    let stored = reader
        .experiment(name, request.samples)
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
    let samples = reader.samples(name, index)?;
    Ok(Cell {
        samples: cell.samples.clone(),
        ..sum_up(cell.clone(), &samples).summary
    })
}

/// The histograms of a metric, for the cells that have it.
pub(crate) fn histograms(reader: &Reader, request: &HistogramRequest) -> Result<Histograms, tonic::Status> {
    let show_request = ShowRequest {
        experiment: request.experiment.clone(),
        samples: false,
    };
    let experiment = show(reader, &show_request)?;
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
        None if cell.metrics.contains_key(&metric) => {
            let samples = reader.samples(name, index)?;
            sum_up(cell.clone(), &samples).histograms.remove(&metric)
        }
        None => None,
    };
    Ok(stored.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// The timelines of one run of each cell, or of the median.
pub(crate) fn timelines(reader: &Reader, request: &TimelineRequest) -> Result<Timelines, tonic::Status> {
    let show_request = ShowRequest {
        experiment: request.experiment.clone(),
        samples: true,
    };
    let experiment = show(reader, &show_request)?;
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
        return Err(tonic::Status::not_found(format!(
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
pub(crate) fn compare(reader: &Reader, request: &CompareRequest) -> Result<Comparison, tonic::Status> {
    let with_runs = |name: &CellRef| {
        let experiment = name.experiment.clone();
        show(
            reader,
            &ShowRequest {
                experiment,
                samples: true,
            },
        )
    };
    let (a, b) = (with_runs(&request.a)?, with_runs(&request.b)?);
    let a = Side {
        name: &request.a,
        experiment: &a,
    };
    let b = Side {
        name: &request.b,
        experiment: &b,
    };
    wbd_analysis::compare(&a, &b, &request.metrics)
        .map_err(|error| tonic::Status::invalid_argument(error.to_string()))
}

/// The cells that break the pattern of the rest.
pub(crate) fn anomalies(reader: &Reader, request: &AnomaliesRequest) -> Result<Anomalies, tonic::Status> {
    let show_request = ShowRequest {
        experiment: request.experiment.clone(),
        samples: true,
    };
    let experiment = show(reader, &show_request)?;
    Ok(wbd_analysis::anomalies(&experiment, &request.metrics))
}

/// An experiment beside the study this project grew out of.
pub(crate) fn report(
    reader: &Reader,
    assets: &Assets,
    request: &ExperimentName,
) -> Result<Report, tonic::Status> {
    let show_request = ShowRequest {
        experiment: request.experiment.clone(),
        samples: true,
    };
    let experiment = show(reader, &show_request)?;
    let manifests = workloads::manifests(assets);
    let size = |workload: &str, args: &[String]| manifests.get(workload)?.size_of(args);
    Ok(wbd_analysis::report::report(&experiment, &size))
}
