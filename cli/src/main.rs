//! `wbctl`: the unprivileged client of `wbd`. It asks the daemon, draws what comes back, and holds no state.

mod args;
mod client;
mod commands;
mod conditions;
mod failure;
mod output;
mod program;
mod render;
mod request;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

fn main() -> ExitCode {
    match commands::run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}
