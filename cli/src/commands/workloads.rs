//! `wbctl workloads`: the programs to measure.

use wbd_model::request::Empty;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let workloads = answer(client.workloads(Empty {})).await?;
    output::print_message(context.style, &workloads, render::inventory::workloads)
}
