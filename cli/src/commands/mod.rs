//! One file per command: ask the daemon, draw the answer.

mod anomalies;
mod compare;
mod doctor;
mod explain;
mod export;
mod hist;
mod list;
mod remove;
mod report;
mod run;
mod show;
mod targets;
mod timeline;
mod workloads;

use std::path::PathBuf;

use crate::args::{Args, Command};
use crate::client::{self, Client};
use crate::failure::Failure;
use crate::output::Style;

/// What every command is told.
pub(crate) struct Context {
    socket: PathBuf,
    style: Style,
}

impl Context {
    async fn connect(&self) -> Result<Client, Failure> {
        client::connect(&self.socket).await
    }
}

/// Does what the command line says.
///
/// # Errors
/// Fails where the job was not done.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let context = Context {
        socket: args.socket,
        style: if args.json { Style::Json } else { Style::Text },
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot set up asynchronous I/O: {error}")))?
        .block_on(dispatch(&context, args.command))
}

async fn dispatch(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Doctor => doctor::run(context).await,
        Command::Targets => targets::run(context).await,
        Command::Workloads => workloads::run(context).await,
        Command::Run(args) => run::run(context, args).await,
        Command::List => list::run(context).await,
        Command::Show { experiment, runs } => show::run(context, experiment.name, runs).await,
        Command::Rm { experiment } => remove::run(context, experiment.name).await,
        Command::Hist { experiment, metric } => hist::run(context, experiment.name, metric).await,
        Command::Timeline { experiment, run } => timeline::run(context, experiment.name, run).await,
        Command::Compare {
            a,
            b,
            metrics,
            threshold,
        } => compare::run(context, [a, b], metrics, threshold).await,
        Command::Anomalies { experiment, metrics } => anomalies::run(context, experiment.name, metrics).await,
        Command::Explain { a, b, flamegraph } => explain::run(context, [a, b], flamegraph).await,
        Command::Report { experiment } => report::run(context, experiment.name).await,
        Command::Export { experiment, format } => export::run(context, experiment.name, format).await,
    }
}
