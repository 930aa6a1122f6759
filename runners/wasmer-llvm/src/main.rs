//! Runs one WASI preview 1 module under Wasmer with its LLVM compiler.

use wbd_runner_wasmer::{Compiler, CompilerConfig, Wasmer};

struct This;

impl Compiler for This {
    const RUNNER: &'static str = "wbd-runner-wasmer-llvm";
    const NAME: &'static str = "llvm";

    /// As Wasmer's command leaves them.
    fn settings() -> Box<dyn CompilerConfig> {
        Box::new(wasmer_compiler_llvm::LLVM::default())
    }
}

fn main() {
    wbd_runner::main::<Wasmer<This>>()
}
