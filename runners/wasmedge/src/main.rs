//! Runs one WASI preview 1 module under WasmEdge.

mod code;
mod guest;
mod log;
mod vm;

use std::path::Path;

use wasmedge_sdk::utils::CoreVersion;
use wbd_runner::{Ending, Failure, Mode, Run, Runner};

struct WasmEdge;

impl Runner for WasmEdge {
    const NAME: &'static str = "wbd-runner-wasmedge";
    const MODES: &'static [Mode] = &[Mode::Interp, Mode::Jit, Mode::Aot];

    fn version() -> String {
        format!("wasmedge {}", CoreVersion::version_string())
    }

    fn run(run: &Run) -> Result<Ending, Failure> {
        log::keep();
        guest::run(run)
    }

    fn compile(path: &Path) -> Result<Vec<u8>, Failure> {
        log::keep();
        code::compile(path)
    }
}

fn main() {
    wbd_runner::main::<WasmEdge>()
}
