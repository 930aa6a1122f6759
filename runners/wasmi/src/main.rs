//! Runs one WASI preview 1 module under Wasmi.

mod guest;
mod wasi;

use std::path::Path;

use wasmi::{Config, Engine, Module};
use wbd_runner::module::read;
use wbd_runner::{Ending, Failure, Mode, Run, Runner, marks};

struct Wasmi;

impl Runner for Wasmi {
    const NAME: &'static str = "wbd-runner-wasmi";
    const MODES: &'static [Mode] = &[Mode::Interp];

    fn version() -> String {
        "wasmi 2.0.0".to_owned()
    }

    /// With the engine's defaults, by which `Module::new` validates and translates the whole module.
    fn run(run: &Run) -> Result<Ending, Failure> {
        let engine = Engine::new(&Config::default());
        marks::engine_ready();
        let module = Module::new(&engine, read(&run.module)?)
            .map_err(|error| Failure::cannot_compile(&run.module, error))?;
        marks::module_ready();
        guest::run(&engine, &module, run)
    }

    fn compile(_: &Path) -> Result<Vec<u8>, Failure> {
        Err(Failure::new(
            "wasmi interprets: it compiles nothing ahead of time; run the module itself in mode interp",
        ))
    }
}

fn main() {
    wbd_runner::main::<Wasmi>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_named_is_the_version_locked() {
        let lock = include_str!("../../../Cargo.lock");
        let (_, entry) = lock.split_once("name = \"wasmi\"\n").expect("wasmi is locked");
        let locked = entry.lines().next().and_then(|line| line.split('"').nth(1));
        assert_eq!(Wasmi::version().strip_prefix("wasmi "), locked);
    }
}
