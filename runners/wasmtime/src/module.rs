//! From a file to machine code.

use std::path::Path;

use wasmtime::{Config, Engine, Module};

use crate::arguments::Mode;
use crate::failure::{Failure, one_line};

/// The engine as every embedder gets it: Cranelift at its default level, all cores compile, no cache.
pub(crate) fn engine() -> Result<Engine, Failure> {
    Engine::new(&Config::new()).map_err(|error| {
        Failure(format!(
            "cannot make the engine: {}; this host cannot run it",
            one_line(&error)
        ))
    })
}

/// The module in the file, compiled now or before.
pub(crate) fn load(engine: &Engine, mode: Mode, path: &Path) -> Result<Module, Failure> {
    match mode {
        Mode::Jit => Module::new(engine, read(path)?).map_err(|error| cannot_compile(path, &error)),
        Mode::Aot => load_precompiled(engine, path),
    }
}

/// The machine code of the module in the file, for `load` under the same version on the same processor.
pub(crate) fn precompile(engine: &Engine, path: &Path) -> Result<Vec<u8>, Failure> {
    engine
        .precompile_module(&read(path)?)
        .map_err(|error| cannot_compile(path, &error))
}

#[allow(
    unsafe_code,
    reason = "Wasmtime maps machine code without being able to check it"
)]
fn load_precompiled(engine: &Engine, path: &Path) -> Result<Module, Failure> {
    std::fs::File::open(path).map_err(|error| cannot_read(path, &error))?;
    // SAFETY: the code must be what `precompile` wrote, unchanged. The daemon vouches for that: it had
    // the file made by this very program, keeps it under the hash of the module in a directory that only
    // it can write to, and names no other file here. Wasmtime itself refuses other files, versions and
    // processors as far as a header can tell.
    unsafe { Module::deserialize_file(engine, path) }.map_err(|error| {
        let path = path.display();
        Failure(format!(
            "cannot load `{path}`: {}; make it anew with `wbd-runner-wasmtime compile`",
            one_line(&error)
        ))
    })
}

/// The bytes of a file that begins as a core module does.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| cannot_read(path, &error))?;
    let path = path.display();
    match bytes.get(..8) {
        Some(b"\0asm\x01\0\0\0") => Ok(bytes),
        Some([b'\0', b'a', b's', b'm', _, _, 1, 0]) => Err(Failure(format!(
            "`{path}` is a component; build it for wasm32-wasip1, which makes a module"
        ))),
        _ => Err(Failure(format!(
            "`{path}` is not a WebAssembly module; name a .wasm file built for wasm32-wasip1"
        ))),
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    Failure(format!(
        "cannot read `{}`: {error}; name a file that can be read",
        path.display()
    ))
}

fn cannot_compile(path: &Path, error: &wasmtime::Error) -> Failure {
    Failure(format!(
        "cannot compile `{}`: {}; build it again for wasm32-wasip1, without proposals this engine lacks",
        path.display(),
        one_line(error)
    ))
}
