//! Runs one WASI preview 1 module under Wasmi.

mod guest;
mod wasi;

use std::path::Path;

use wasmi::{CompilationMode, Config, Engine, Module};
use wbd_runner::module::read;
use wbd_runner::{Ending, Failure, Mode, Run, Runner, marks};

struct Wasmi;

impl Runner for Wasmi {
    const NAME: &'static str = "wbd-runner-wasmi";
    const MODES: &'static [Mode] = &[Mode::Interp];

    fn version() -> String {
        "wasmi 2.0.0".to_owned()
    }

    fn run(run: &Run) -> Result<Ending, Failure> {
        let engine = Engine::new(&config());
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

/// The engine's defaults, but for this: `Module::new` translates the whole module. By default a function is
/// translated when it is first called, at the expense of the guest's time.
fn config() -> Config {
    let mut config = Config::default();
    config.compilation_mode(CompilationMode::Eager);
    config
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
