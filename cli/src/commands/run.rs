//! `wbctl run`: asks for an experiment and follows it to its end.
//!
//! The daemon ends the experiment when this connection does: an interrupt (Ctrl-C) needs no handling here.

use tonic::Streaming;
use wbd_model::document::State;
use wbd_model::{Experiment, Progress};

use super::Context;
use crate::args::RunArgs;
use crate::client::answer;
use crate::failure::Failure;
use crate::render::progress::Bar;
use crate::request::{self, Caller};
use crate::{output, render};

pub(super) async fn run(context: &Context, args: RunArgs) -> Result<(), Failure> {
    let request = request::build(args, &Caller::this_process()?)?;
    let mut client = context.connect().await?;
    let news = answer(client.run(request)).await?;
    let experiment = follow(news).await?;
    output::print(context.style, &experiment, render::experiment::draw)?;
    judge(&experiment)
}

async fn follow(mut news: Streaming<Progress>) -> Result<Experiment, Failure> {
    let mut bar = Bar::new();
    while let Some(progress) = news.message().await? {
        match progress {
            Progress::Finished(experiment) => return Ok(*experiment),
            other => bar.tell(&other),
        }
    }
    Err(Failure::Failed(
        "the daemon ended the experiment and sent no result; its log says why".to_owned(),
    ))
}

/// Whether every run counts.
fn judge(experiment: &Experiment) -> Result<(), Failure> {
    let name = &experiment.experiment;
    let failed: u64 = experiment.cells.iter().map(|cell| u64::from(cell.failed)).sum();
    if failed > 0 {
        let runs = if failed == 1 { "run does" } else { "runs do" };
        return Err(Failure::Failed(format!(
            "{failed} {runs} not count; `wbctl show {name} --runs` shows each"
        )));
    }
    if experiment.state != State::Done {
        return Err(Failure::Failed(format!(
            "the experiment {name} is {}: not all runs were made",
            experiment.state
        )));
    }
    Ok(())
}
