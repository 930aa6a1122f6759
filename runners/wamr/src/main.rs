//! Runs one WASI preview 1 module under WAMR's fast interpreter.

mod guest;
mod runtime;
mod wasi;

use std::path::Path;

use wbd_runner::module::read;
use wbd_runner::{Ending, Failure, Mode, Run, Runner, marks};

use crate::runtime::{Module, Runtime};

struct Wamr;

impl Runner for Wamr {
    const NAME: &'static str = "wbd-runner-wamr";
    const MODES: &'static [Mode] = &[Mode::Interp];

    fn version() -> String {
        format!("wamr {}", runtime::version())
    }

    /// Loading validates the whole module and translates it to the interpreter's own code.
    fn run(run: &Run) -> Result<Ending, Failure> {
        let runtime = Runtime::new()?;
        marks::engine_ready();
        let module = Module::load(&runtime, read(&run.module)?)
            .map_err(|error| Failure::cannot_compile(&run.module, error))?;
        marks::module_ready();
        guest::run(&module, run)
    }

    fn compile(_: &Path) -> Result<Vec<u8>, Failure> {
        Err(Failure::new(
            "wamr-interp interprets: it compiles nothing ahead of time; run the module itself in mode interp",
        ))
    }
}

fn main() {
    wbd_runner::main::<Wamr>()
}
