//! `wbctl report`: an experiment beside the study this project grew out of.

use wbd_model::request::ExperimentName;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(context: &Context, experiment: String) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let report = answer(client.report(ExperimentName { experiment })).await?;
    output::print(context.style, &report, render::report::draw)
}
