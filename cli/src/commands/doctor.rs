//! `wbctl doctor`: what this host can measure, and what disturbs it.

use wbd_model::request::Empty;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let diagnosis = answer(client.doctor(Empty {})).await?;
    output::print_message(context.style, &diagnosis, render::doctor::draw)
}
