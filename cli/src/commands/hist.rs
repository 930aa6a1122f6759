//! `wbctl hist`: the distribution of a metric, cell by cell.

use wbd_model::Metric;
use wbd_model::request::{HistogramRequest, ShowRequest};

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
        let experiment = answer(client.show(ShowRequest {
            experiment: histograms.experiment.clone(),
            samples: false,
        }))
        .await?;
        drawing += &hist::why_absent(&experiment, metric);
    }
    output::print_message(context.style, &histograms, |_| drawing)
}
