//! What the runners of Wasmer's compilers share: all but the compiler.
//!
//! Each compiler has a program of its own, so that no other one's code weighs on its figures; Wasmer itself and its
//! WASI layer (WASIX) are the same for all, and are built without any compiler.

mod code;
mod guest;
mod wasi;

use std::marker::PhantomData;
use std::path::Path;

use wasmer::Store;
pub use wasmer::sys::CompilerConfig;
use wbd_runner::{Ending, Failure, Mode, Run, Runner, marks};

/// One of Wasmer's compilers.
pub trait Compiler {
    /// The name of its runner: `wbd-runner-wasmer-COMPILER`.
    const RUNNER: &'static str;

    /// Its own name.
    const NAME: &'static str;

    /// Its settings.
    fn settings() -> Box<dyn CompilerConfig>;
}

/// The runner of Wasmer with the compiler `C`.
#[derive(Debug)]
pub struct Wasmer<C>(PhantomData<C>);

impl<C: Compiler> Runner for Wasmer<C> {
    const NAME: &'static str = C::RUNNER;
    const MODES: &'static [Mode] = &[Mode::Jit, Mode::Aot];

    fn version() -> String {
        format!("wasmer 7.4.2 {}", C::NAME)
    }

    fn run(run: &Run) -> Result<Ending, Failure> {
        let engine = code::engine::<C>(run.mode, run.perf_map);
        let mut store = Store::new(engine.clone());
        marks::engine_ready();
        let module = code::load::<C>(&engine, run.mode, &run.module)?;
        marks::module_ready();
        guest::run(&mut store, &module, run)
    }

    fn compile(path: &Path) -> Result<Vec<u8>, Failure> {
        code::precompile::<C>(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Compiler for Nothing {
        const RUNNER: &'static str = "wbd-runner-wasmer-none";
        const NAME: &'static str = "none";

        fn settings() -> Box<dyn CompilerConfig> {
            unreachable!("nothing is compiled")
        }
    }

    #[test]
    fn the_version_named_is_the_version_locked() {
        let lock = include_str!("../../../Cargo.lock");
        let (_, entry) = lock.split_once("name = \"wasmer\"\n").expect("wasmer is locked");
        let locked = entry.lines().next().and_then(|line| line.split('"').nth(1));
        assert_eq!(Wasmer::<Nothing>::version().split(' ').nth(1), locked);
    }
}
