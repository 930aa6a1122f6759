//! `wbctl show`: the figures of an experiment.

use std::io::{self, Write};

use serde_json::Value;
use wbd_model::Experiment;
use wbd_model::request::ExperimentName;

use super::Context;
use crate::client::{Client, answer, next};
use crate::failure::Failure;
use crate::output::Style;
use crate::{output, render};

pub(super) async fn run(context: &Context, experiment: String, samples: bool) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let document = if samples {
        with_runs(&mut client, experiment).await?
    } else {
        answer(client.show(ExperimentName { experiment })).await?
    };
    match context.style {
        Style::Json if samples => output::to_stdout(|out| write_with_runs(out, &document)),
        style => output::print(style, &document, render::experiment::draw),
    }
}

/// An experiment with all its runs, which come in pieces.
pub(super) async fn with_runs(client: &mut Client, experiment: String) -> Result<Experiment, Failure> {
    let mut document = answer(client.show(ExperimentName { experiment })).await?;
    // By its name: `latest` may be another experiment by now.
    let experiment = document.experiment.clone();
    let mut runs = answer(client.runs(ExperimentName { experiment })).await?;
    while let Some(batch) = next(&mut runs).await? {
        if let Some(cell) = document.cells.get_mut(batch.cell) {
            cell.samples.extend(batch.samples);
        }
    }
    Ok(document)
}

/// The document with the runs of every cell: none of one that could not be run, which without runs asked for has
/// no such key.
pub(super) fn write_with_runs(out: &mut dyn Write, document: &Experiment) -> io::Result<()> {
    let mut json = serde_json::to_value(document)?;
    for cell in json["cells"].as_array_mut().into_iter().flatten() {
        if cell.get("samples").is_none() {
            cell["samples"] = Value::Array(Vec::new());
        }
    }
    serde_json::to_writer(&mut *out, &json)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::specimen;

    #[test]
    fn a_cell_that_was_never_run_has_no_runs_rather_than_no_word_of_them() {
        let mut experiment = specimen::experiment();
        experiment.cells[0].samples = specimen::samples();
        let mut json = Vec::new();
        write_with_runs(&mut json, &experiment).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        let runs = |cell: usize| json["cells"][cell]["samples"].as_array().map(Vec::len);
        assert_eq!(runs(0), Some(specimen::samples().len()));
        assert_eq!(runs(1), Some(0));
    }
}
