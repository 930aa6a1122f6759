//! `wbctl anomalies`: cells that break the pattern of the rest.

use wbd_model::Metric;
use wbd_model::request::AnomaliesRequest;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(context: &Context, experiment: String, metrics: Vec<Metric>) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let request = AnomaliesRequest { experiment, metrics };
    let anomalies = answer(client.anomalies(request)).await?;
    output::print(context.style, &anomalies, render::anomalies::draw)
}
