//! wbd: launches targets and tells from the kernel when their first instruction ran.
//!
//! A library for the daemon's program and for nobody else: [`main`] is all that it offers.

mod allowance;
mod api;
mod args;
mod collect;
mod doctor;
mod engine;
#[cfg(fuzzing)]
pub mod fuzz;
mod launch;
mod manager;
mod powers;
mod serve;
mod session;
mod socket;
mod store;
mod targets;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use nix::sys::stat::{Mode, umask};

/// Serves until told to stop, as the command line says; what went wrong is told on standard error.
#[must_use]
pub fn main() -> ExitCode {
    wbd_linux::process::share_heap();
    umask(Mode::from_bits_truncate(0o022)); // what is private says so itself, and what is not must be reachable
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    let settings = args::Args::parse().settings();
    let reduced = powers::reduce();
    match settings.and_then(|settings| reduced.and_then(|()| serve::serve(&settings))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wbd: {error:#}");
            ExitCode::FAILURE
        }
    }
}
