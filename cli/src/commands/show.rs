//! `wbctl show`: the figures of an experiment.

use wbd_model::request::ShowRequest;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(context: &Context, experiment: String, samples: bool) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let document = answer(client.show(ShowRequest { experiment, samples })).await?;
    output::print(context.style, &document, render::experiment::draw)
}
