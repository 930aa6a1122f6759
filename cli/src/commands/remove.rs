//! `wbctl rm`: an experiment and its samples go.

use wbd_model::request::ExperimentName;

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::output;

pub(super) async fn run(context: &Context, experiment: String) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let name = ExperimentName { experiment };
    answer(client.remove(name.clone())).await?;
    output::print(context.style, &name, |name| {
        format!("removed {}\n", name.experiment)
    })
}
