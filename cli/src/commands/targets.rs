//! `wbctl targets`: the ways to run a program.

use wbd_model::request::Empty;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let targets = answer(client.targets(Empty {})).await?;
    output::print_message(context.style, &targets, render::inventory::targets)
}
