//! From a file to machine code.
//!
//! Wasmer's own format says in which version it was written, and not by which compiler: every compiler's code would
//! run. So what is compiled ahead of time ends here with the name of its runner, beyond what Wasmer reads.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use wasmer::sys::{CompilerConfig, EngineBuilder};
use wasmer::{Engine, Module};
use wbd_runner::module::read;
use wbd_runner::{Failure, Mode};

use crate::Compiler;

/// An engine with the compiler, and for code that was compiled before one without. A perf map is written by the
/// compiler alone, also of code that was compiled before, and by Singlepass not at all.
pub(crate) fn engine<C: Compiler>(mode: Mode, perf_map: bool) -> Engine {
    match mode {
        _ if perf_map => EngineBuilder::new(with_perf_map(C::settings())).into(),
        Mode::Aot => EngineBuilder::headless().into(),
        _ => EngineBuilder::new(C::settings()).into(),
    }
}

fn with_perf_map(mut settings: Box<dyn CompilerConfig>) -> Box<dyn CompilerConfig> {
    settings.enable_perfmap();
    settings
}

/// The module in the file, compiled now or before.
pub(crate) fn load<C: Compiler>(engine: &Engine, mode: Mode, path: &Path) -> Result<Module, Failure> {
    match mode {
        Mode::Aot => load_precompiled(engine, path, C::RUNNER),
        _ => compile(engine, path),
    }
}

/// The machine code of the module in the file, for `load` by the same runner on the same processor.
pub(crate) fn precompile<C: Compiler>(path: &Path) -> Result<Vec<u8>, Failure> {
    let code = compile(&engine::<C>(Mode::Jit, false), path)?.serialize();
    let code = code.map_err(|error| Failure::cannot_compile(path, error))?;
    Ok([&code[..], C::RUNNER.as_bytes()].concat())
}

fn compile(engine: &Engine, path: &Path) -> Result<Module, Failure> {
    Module::new(engine, read(path)?).map_err(|error| Failure::cannot_compile(path, error))
}

#[allow(
    unsafe_code,
    reason = "Wasmer maps machine code without being able to check it"
)]
fn load_precompiled(engine: &Engine, path: &Path, runner: &str) -> Result<Module, Failure> {
    let end = end(path, runner.len()).map_err(|error| Failure::cannot_read(path, error))?;
    if end != runner.as_bytes() {
        let error = "another runner compiled it, or it was cut short";
        return Err(Failure::cannot_load(path, error, runner));
    }
    // SAFETY: the code must be what `precompile` wrote, unchanged. The daemon vouches for that: it had
    // the file made by this very program, keeps it under the hash of the module in a directory that only
    // it can write to, and names no other file here. Wasmer itself refuses other files and formats as far
    // as a header can tell.
    unsafe { Module::deserialize_from_file(engine, path) }
        .map_err(|error| Failure::cannot_load(path, error, runner))
}

/// The last so many bytes of a file, or what there is of them.
fn end(path: &Path, length: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(length as u64);
    let mut end = vec![0; length];
    let read = file.read_at(&mut end, start)?;
    end.truncate(read);
    Ok(end)
}
