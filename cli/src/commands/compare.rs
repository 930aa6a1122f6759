//! `wbctl compare`: cells held against each other.

use wbd_model::compare::Compared;
use wbd_model::request::CompareRequest;
use wbd_model::{CellRef, Comparison, Metric};

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(
    context: &Context,
    [a, b]: [CellRef; 2],
    metrics: Vec<Metric>,
    threshold_percent: Option<f64>,
) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let comparison = answer(client.compare(CompareRequest { a, b, metrics })).await?;
    output::print(context.style, &comparison, render::compare::draw)?;
    threshold_percent.map_or(Ok(()), |threshold| judge(&comparison, threshold))
}

/// Whether no difference that was found is larger than `threshold` percent of A's figure, either way. Where nothing could be
/// compared, nobody knows.
fn judge(comparison: &Comparison, threshold: f64) -> Result<(), Failure> {
    let lacks = |compared: &Compared| compared.a.is_none() || compared.b.is_none();
    let pairs = comparison.pairs.iter();
    let empty = pairs.filter(|pair| pair.metrics.iter().all(lacks)).count();
    if empty > 0 {
        return Err(Failure::Failed(format!(
            "{empty} of {} pairs of cells have nothing that could be compared; see the warnings",
            comparison.pairs.len()
        )));
    }
    let compared = comparison.pairs.iter().flat_map(|pair| &pair.metrics);
    let beyond = compared
        .filter(|compared| compared.verdict.is_difference())
        .filter(|compared| {
            compared
                .ratio
                .is_some_and(|ratio| (ratio.value - 1.0).abs() * 100.0 > threshold)
        });
    match beyond.count() {
        0 => Ok(()),
        1 => Err(Failure::Failed(format!("1 difference is beyond {threshold} %"))),
        several => Err(Failure::Failed(format!(
            "{several} differences are beyond {threshold} %"
        ))),
    }
}
