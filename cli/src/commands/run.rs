//! `wbctl run`: asks for an experiment and follows it to its end.
//!
//! The daemon ends the experiment when this connection does: of an interrupt (Ctrl-C) it need not be told.

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
    let mut name = None;
    let experiment = tokio::select! {
        experiment = follow(news, &mut name) => experiment?,
        _ = tokio::signal::ctrl_c() => return Err(interrupted(name)),
    };
    output::print(context.style, &experiment, render::experiment::draw)?;
    judge(&experiment)
}

/// What is left of an experiment that the user ended.
fn interrupted(name: Option<String>) -> Failure {
    Failure::Interrupted(match name {
        Some(name) => {
            format!("interrupted: experiment {name} keeps the runs made so far; see `wbctl show {name}`")
        }
        None => "interrupted before the first run".to_owned(),
    })
}

/// Follows an experiment to its end, and notes its name as soon as it is known.
async fn follow(mut news: Streaming<Progress>, name: &mut Option<String>) -> Result<Experiment, Failure> {
    let mut bar = Bar::new();
    while let Some(progress) = news.message().await? {
        match progress {
            Progress::Finished(experiment) => return Ok(*experiment),
            other => {
                if let Progress::Started { experiment, .. } = &other {
                    *name = Some(experiment.clone());
                }
                bar.tell(&other);
            }
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
