//! Runs one WASI preview 1 module under Wasmer with its Cranelift compiler.

use wbd_runner_wasmer::{Compiler, CompilerConfig, Wasmer};

struct This;

impl Compiler for This {
    const RUNNER: &'static str = "wbd-runner-wasmer-cranelift";
    const NAME: &'static str = "cranelift";

    /// As Wasmer's command leaves them.
    fn settings() -> Box<dyn CompilerConfig> {
        Box::new(wasmer_compiler_cranelift::Cranelift::default())
    }
}

fn main() {
    wbd_runner::main::<Wasmer<This>>()
}
