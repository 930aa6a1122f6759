//! `wbctl timeline`: the phases of a launch as a waterfall.

use wbd_model::request::TimelineRequest;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(context: &Context, experiment: String, run: Option<u32>) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let timelines = answer(client.timeline(TimelineRequest { experiment, run })).await?;
    output::print_message(context.style, &timelines, render::timeline::draw)
}
