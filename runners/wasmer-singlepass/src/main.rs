//! Runs one WASI preview 1 module under Wasmer with its Singlepass compiler.

use wbd_runner_wasmer::{Compiler, CompilerConfig, Wasmer};

struct This;

impl Compiler for This {
    const RUNNER: &'static str = "wbd-runner-wasmer-singlepass";
    const NAME: &'static str = "singlepass";

    /// As Wasmer's command leaves them.
    fn settings() -> Box<dyn CompilerConfig> {
        Box::new(wasmer_compiler_singlepass::Singlepass::default())
    }
}

fn main() {
    wbd_runner::main::<Wasmer<This>>()
}
