//! `wbctl export`: an experiment with all its samples, for other tools.

use std::io::{self, Write};

use wbd_model::request::{AnomaliesRequest, ExperimentName, HistogramRequest, Histograms, TimelineRequest};
use wbd_model::{Cell, Exit, Experiment, Metric, Sample, Unit};

use super::{Context, show};
use crate::args::Format;
use crate::client::{Client, answer};
use crate::failure::Failure;
use crate::output::{self, Style};
use crate::render::html::{self, Documents};
use crate::render::{hdr_log, trace};

const CSV_HEADER: [&str; 11] = [
    "experiment",
    "target",
    "workload",
    "run",
    "order",
    "valid",
    "kind",
    "name",
    "value",
    "unit",
    "size",
];

pub(super) async fn run(context: &Context, experiment: String, format: Format) -> Result<(), Failure> {
    if context.style == Style::Json && format != Format::Json {
        return Err(Failure::Usage(
            "--json goes with --format json alone: leave it out".to_owned(),
        ));
    }
    let mut client = context.connect().await?;
    match format {
        Format::Json => {
            let document = show::with_runs(&mut client, experiment).await?;
            output::to_stdout(|out| show::write_with_runs(out, &document))
        }
        Format::Csv => {
            let document = show::with_runs(&mut client, experiment).await?;
            output::to_stdout(|out| write_csv(out, &document))
        }
        Format::Perfetto => {
            let document = show::with_runs(&mut client, experiment).await?;
            output::print(Style::Json, &trace::trace(&document), |_| String::new())
        }
        Format::Hdr => {
            let histograms = histograms(client, experiment, &Metric::ALL).await?;
            let log = hdr_log::log(&histograms).map_err(|error| Failure::Failed(error.to_string()))?;
            output::to_stdout(|out| out.write_all(&log))
        }
        Format::Html => {
            let documents = documents(client, experiment).await?;
            let page = html::page(&documents).map_err(|error| Failure::Failed(error.to_string()))?;
            output::to_stdout(|out| out.write_all(page.as_bytes()))
        }
    }
}

/// The histograms of these metrics. After the first, `latest` is asked for by its name.
async fn histograms(
    mut client: Client,
    mut experiment: String,
    metrics: &[Metric],
) -> Result<Vec<Histograms>, Failure> {
    let mut histograms = Vec::new();
    for &metric in metrics {
        let found = answer(client.histogram(HistogramRequest { experiment, metric })).await?;
        experiment = found.experiment.clone();
        histograms.push(found);
    }
    Ok(histograms)
}

/// All that the page shows. `latest` may be another experiment by the second question: so it is asked by name.
async fn documents(mut client: Client, experiment: String) -> Result<Documents, Failure> {
    let report = answer(client.report(ExperimentName { experiment })).await?;
    let experiment = report.experiment.clone();
    let mut histograms = Vec::new();
    for metric in [Metric::Startup, Metric::Execution] {
        let request = HistogramRequest {
            experiment: experiment.clone(),
            metric,
        };
        histograms.push((metric, answer(client.histogram(request)).await?));
    }
    let timelines = answer(client.timeline(TimelineRequest {
        experiment: experiment.clone(),
        run: None,
    }))
    .await?;
    let anomalies = answer(client.anomalies(AnomaliesRequest {
        experiment: experiment.clone(),
        metrics: Vec::new(),
    }))
    .await?;
    let explained = answer(client.explanations(ExperimentName { experiment })).await?;
    Ok(Documents {
        report,
        histograms,
        timelines,
        anomalies,
        explanations: explained.explanations,
    })
}

/// csv wraps errors of the stream it writes to, and hides what kind they are.
fn unwrapped(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// In tidy long form: one line for each metric and each instant of each run, and one for how it ended.
fn write_csv(out: &mut dyn Write, experiment: &Experiment) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(CSV_HEADER).map_err(unwrapped)?;
    for cell in &experiment.cells {
        for sample in &cell.samples {
            for [kind, name, value, unit] in values(sample) {
                let [of, target, workload, run, order, valid] = identity(experiment, cell, sample);
                let size = cell.size.map(|size| size.to_string()).unwrap_or_default();
                let fields = [
                    of, target, workload, run, order, valid, kind, name, value, unit, size,
                ];
                csv.write_record(fields).map_err(unwrapped)?;
            }
        }
    }
    csv.flush()
}

fn identity(experiment: &Experiment, cell: &Cell, sample: &Sample) -> [String; 6] {
    [
        experiment.experiment.clone(),
        cell.target.clone(),
        cell.workload.clone(),
        sample.run.to_string(),
        sample.order.to_string(),
        sample.valid.to_string(),
    ]
}

/// The last four columns of every line of a run.
fn values(sample: &Sample) -> impl Iterator<Item = [String; 4]> {
    let (ending, value) = match &sample.exit {
        Exit::Code(code) => ("code", code.to_string()),
        Exit::Signal(signal) => ("signal", signal.to_string()),
        Exit::NotStarted(why) => ("not_started", why.clone()),
    };
    let exit = ["exit".to_owned(), ending.to_owned(), value, String::new()];
    let metrics = sample.metrics.iter().map(|(metric, value)| {
        [
            "metric".to_owned(),
            metric.to_string(),
            value.to_string(),
            unit_name(metric.unit()).to_owned(),
        ]
    });
    let instants = sample.instants.iter().map(|(name, instant)| {
        [
            "instant".to_owned(),
            name.to_string(),
            instant.ns.to_string(),
            unit_name(Unit::Ns).to_owned(),
        ]
    });
    std::iter::once(exit).chain(metrics).chain(instants)
}

const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Ns => "ns",
        Unit::Bytes => "bytes",
        Unit::Count => "count",
    }
}
