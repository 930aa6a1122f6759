//! `wbctl hist`: the distribution of a metric, cell by cell.

use wbd_model::Metric;
use wbd_model::request::{ExperimentName, HistogramRequest};

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::output;
use crate::render::hist;

pub(super) async fn run(context: &Context, experiment: String, metric: Metric) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let histograms = answer(client.histogram(HistogramRequest { experiment, metric })).await?;
    let mut drawing = hist::draw(&histograms).map_err(|error| Failure::Failed(error.to_string()))?;
    if histograms.cells.is_empty() {
        let name = ExperimentName {
            experiment: histograms.experiment.clone(),
        };
        let experiment = answer(client.show(name)).await?;
        drawing += &hist::why_absent(&experiment, metric);
    }
    output::print_message(context.style, &histograms, |_| drawing)
}
