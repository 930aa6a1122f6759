//! From a file to machine code.

use std::path::Path;

use wasmtime::{Config, Engine, Module, ProfilingStrategy};
use wbd_runner::module::read;
use wbd_runner::{Failure, Mode, Runner as _};

use crate::Wasmtime;

/// The engine as every embedder gets it: Cranelift at its default level, all cores compile, no cache.
pub(crate) fn engine(perf_map: bool) -> Result<Engine, Failure> {
    let mut config = Config::new();
    if perf_map {
        config.profiler(ProfilingStrategy::PerfMap);
    }
    Engine::new(&config).map_err(|error| Failure::no_engine(format_args!("{error:#}")))
}

/// The module in the file, compiled now or before.
pub(crate) fn load(engine: &Engine, mode: Mode, path: &Path) -> Result<Module, Failure> {
    match mode {
        Mode::Aot => load_precompiled(engine, path),
        _ => Module::new(engine, read(path)?).map_err(refused(path)),
    }
}

/// The machine code of the module in the file, for `load` under the same version on the same processor.
pub(crate) fn precompile(engine: &Engine, path: &Path) -> Result<Vec<u8>, Failure> {
    engine.precompile_module(&read(path)?).map_err(refused(path))
}

fn refused(path: &Path) -> impl FnOnce(wasmtime::Error) -> Failure {
    move |error| Failure::cannot_compile(path, format_args!("{error:#}"))
}

#[allow(
    unsafe_code,
    reason = "Wasmtime maps machine code without being able to check it"
)]
fn load_precompiled(engine: &Engine, path: &Path) -> Result<Module, Failure> {
    std::fs::File::open(path).map_err(|error| Failure::cannot_read(path, error))?;
    // SAFETY: the code must be what `precompile` wrote, unchanged. The daemon vouches for that: it had
    // the file made by this very program, keeps it under the hash of the module in a directory that only
    // it can write to, and names no other file here. Wasmtime itself refuses other files, versions and
    // processors as far as a header can tell.
    unsafe { Module::deserialize_file(engine, path) }
        .map_err(|error| Failure::cannot_load(path, format_args!("{error:#}"), Wasmtime::NAME))
}
