//! wbd: launches targets and tells from the kernel when their first instruction ran.

mod api;
mod args;
mod collect;
mod doctor;
mod engine;
mod launch;
mod serve;
mod session;
mod socket;
mod store;
mod targets;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    wbd_linux::process::share_heap();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    let settings = args::Args::parse().settings();
    match settings.and_then(|settings| serve::serve(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wbd: {error:#}");
            ExitCode::FAILURE
        }
    }
}
