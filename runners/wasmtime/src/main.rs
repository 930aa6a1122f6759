//! Runs one WASI preview 1 module under Wasmtime.

mod guest;
mod module;

use std::path::Path;

use wbd_runner::{Ending, Failure, Mode, Run, Runner, marks};

struct Wasmtime;

impl Runner for Wasmtime {
    const NAME: &'static str = "wbd-runner-wasmtime";
    const MODES: &'static [Mode] = &[Mode::Jit, Mode::Aot];

    fn version() -> String {
        "wasmtime 48.0.8".to_owned()
    }

    fn run(run: &Run) -> Result<Ending, Failure> {
        let engine = module::engine(run.perf_map)?;
        marks::engine_ready();
        let module = module::load(&engine, run.mode, &run.module)?;
        marks::module_ready();
        guest::run(&engine, &module, run)
    }

    fn compile(path: &Path) -> Result<Vec<u8>, Failure> {
        module::precompile(&module::engine(false)?, path)
    }
}

fn main() {
    wbd_runner::main::<Wasmtime>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_named_is_the_version_locked() {
        let lock = include_str!("../../../Cargo.lock");
        let (_, entry) = lock
            .split_once("name = \"wasmtime\"\n")
            .expect("wasmtime is locked");
        let locked = entry.lines().next().and_then(|line| line.split('"').nth(1));
        assert_eq!(Wasmtime::version().strip_prefix("wasmtime "), locked);
    }
}
