//! Runs one WASI preview 1 module under Wasm3.

mod guest;
mod host;
mod imports;
mod wasi;
mod wasm3;

use std::path::Path;

use wbd_runner::{Ending, Failure, Mode, Run, Runner};

struct Wasm3;

impl Runner for Wasm3 {
    const NAME: &'static str = "wbd-runner-wasm3";
    const MODES: &'static [Mode] = &[Mode::Interp];

    fn version() -> String {
        format!("wasm3 {}", wasm3::version())
    }

    fn run(run: &Run) -> Result<Ending, Failure> {
        guest::run(run)
    }

    fn compile(_: &Path) -> Result<Vec<u8>, Failure> {
        Err(Failure::new(
            "wasm3 interprets: it compiles nothing ahead of time; run the module itself in mode interp",
        ))
    }
}

fn main() {
    wbd_runner::main::<Wasm3>()
}
