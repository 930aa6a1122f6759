//! Runs one WASI preview 1 module under Wasmtime and marks the way to its first instruction.
//!
//! It is a program of its own so that no other engine's code or memory weighs on Wasmtime's figures,
//! and it does no more than a plain embedding does: engine, module, instance, `_start`. Each of these
//! steps ends with a mark (`marks`) that the kernel can see and that costs one `nop` when nobody looks.
//!
//! Exit status: the guest's own; 134 where the guest trapped; 125 where the runner could not run it.

mod arguments;
mod failure;
mod guest;
mod marks;
mod module;

use std::io::Write;
use std::path::Path;

use arguments::{Command, Run};
use failure::Failure;
use guest::Ending;

/// Version of the engine inside.
const ENGINE: &str = "wasmtime 48.0.8";

/// Exit status of a run whose guest trapped: what a shell reports of a native program that aborted.
const STATUS_TRAP: i32 = 134;

/// Exit status of a run that never came to its guest.
const STATUS_FAILURE: i32 = 125;

fn main() {
    let status = match arguments::parse().and_then(obey) {
        Ok(status) => status,
        Err(failure) => {
            eprintln!("wbd-runner: {failure}");
            STATUS_FAILURE
        }
    };
    // Ends here rather than by returning: tearing the instance down would be charged to the guest.
    std::process::exit(status)
}

fn obey(command: Command) -> Result<i32, Failure> {
    match command {
        Command::Run(run) => execute(&run),
        Command::Compile(path) => compile(&path).map(|()| 0),
        Command::Version => print(format!("{ENGINE}\n").as_bytes()).map(|()| 0),
        Command::Help => print(arguments::USAGE.as_bytes()).map(|()| 0),
    }
}

fn execute(run: &Run) -> Result<i32, Failure> {
    let engine = module::engine()?;
    marks::engine_ready();
    let module = module::load(&engine, run.mode, &run.module)?;
    marks::module_ready();
    Ok(match guest::run(&engine, &module, run)? {
        Ending::Exited(status) => status,
        Ending::Trapped(reason) => {
            eprintln!("wbd-runner: trap: {reason}");
            STATUS_TRAP
        }
    })
}

fn compile(path: &Path) -> Result<(), Failure> {
    print(&module::precompile(&module::engine()?, path)?)
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| {
            Failure(format!(
                "cannot write to standard output: {error}; give it a file with room"
            ))
        })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_named_is_the_version_locked() {
        let lock = include_str!("../../../Cargo.lock");
        let (_, entry) = lock
            .split_once("name = \"wasmtime\"\n")
            .expect("wasmtime is locked");
        let locked = entry.lines().next().and_then(|line| line.split('"').nth(1));
        assert_eq!(super::ENGINE.strip_prefix("wasmtime "), locked);
    }
}
