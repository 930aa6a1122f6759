//! `wbctl list`: the experiments there are.

use wbd_model::request::Empty;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::{output, render};

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let list = answer(client.list(Empty {})).await?;
    output::print_message(context.style, &list, render::listing::draw)
}
