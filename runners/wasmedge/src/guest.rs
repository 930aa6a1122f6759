//! From a file to the guest's end.
//!
//! The guest gets its arguments, the variables and directories named on the command line, and the runner's standard
//! streams. It gets nothing else: no inherited environment, no other file.

use std::ffi::CString;

use wbd_runner::{Ending, Failure, Mode, Preopen, Run, Runner as _, marks, module};

use crate::vm::{Error, Progress, Vm, Wasi};
use crate::{WasmEdge, code, log};

/// Runs the module's `_start`.
pub(crate) fn run(run: &Run) -> Result<Ending, Failure> {
    let wasi = wasi(run)?;
    let vm = Vm::new(run.mode).ok_or_else(|| Failure::no_engine("there is no memory"))?;
    marks::engine_ready();
    load(&vm, run)?;
    if run.mode != Mode::Jit {
        marks::module_ready();
    }
    vm.give(&wasi)
        .map_err(|error| Failure::new(format_args!("cannot prepare WASI: {}", error.into_text())))?;
    let instantiated = vm.instantiate();
    if run.mode == Mode::Jit {
        // WasmEdge compiles and instantiates in one call: what instantiation takes counts as the module's.
        marks::module_ready();
    }
    match instantiated {
        Ok(Progress::Done) => start(&vm, run),
        Ok(Progress::Exited(status)) => Ok(Ending::Exited(status)),
        Err(Error::Trap(reason)) => Ok(Ending::Trapped(reason)),
        Err(Error::Refused(reason)) => Err(Failure::cannot_instantiate(&run.module, reason)),
    }
}

fn load(vm: &Vm, run: &Run) -> Result<(), Failure> {
    let path = &run.module;
    let refused = |error: Error| match run.mode {
        Mode::Aot => Failure::cannot_load(path, error.into_text(), WasmEdge::NAME),
        Mode::Jit | Mode::Interp => Failure::cannot_compile(path, error.into_text()),
    };
    match run.mode {
        Mode::Aot => vm.load_code(&code::whole(path)?),
        Mode::Jit | Mode::Interp => vm.load_module(&module::read(path)?),
    }
    .and_then(|()| vm.validate())
    .map_err(refused)?;
    not_interpreted(run)
}

fn start(vm: &Vm, run: &Run) -> Result<Ending, Failure> {
    not_interpreted(run)?;
    if !vm.has_start() {
        return Err(Failure::cannot_instantiate(&run.module, "there is no `_start`"));
    }
    marks::instance_ready();
    marks::guest();
    Ok(match vm.start() {
        Ok(Progress::Done) => Ending::Exited(0),
        Ok(Progress::Exited(status)) => Ending::Exited(status),
        Err(error) => Ending::Trapped(error.into_text()),
    })
}

/// Where WasmEdge cannot use machine code, it interprets; that is another mode's figure.
fn not_interpreted(run: &Run) -> Result<(), Failure> {
    log::fallback().map_or(Ok(()), |reason| {
        Err(match run.mode {
            Mode::Aot => Failure::cannot_load(&run.module, reason, WasmEdge::NAME),
            Mode::Jit | Mode::Interp => Failure::cannot_compile(&run.module, reason),
        })
    })
}

fn wasi(run: &Run) -> Result<Wasi, Failure> {
    let name = std::iter::once(run.program_name());
    let variables = run.environment.iter();
    let preopens = run.preopens.iter().map(preopen).collect::<Result<_, _>>()?;
    Ok(Wasi {
        arguments: terminated(name.chain(run.arguments.iter().cloned()).collect())?,
        environment: terminated(variables.map(|(name, value)| format!("{name}={value}")).collect())?,
        preopens: terminated(preopens)?,
    })
}

fn terminated(words: Vec<String>) -> Result<Vec<CString>, Failure> {
    let strings = words.into_iter().map(CString::new).collect::<Result<_, _>>();
    strings.map_err(|error| {
        Failure::new(format_args!(
            "a word cannot be handed on: {error}; leave the NUL out"
        ))
    })
}

/// As WasmEdge reads it. It would pass over a directory that cannot be opened.
fn preopen(Preopen { host, guest }: &Preopen) -> Result<String, Failure> {
    std::fs::read_dir(host).map_err(|error| Failure::cannot_open_directory(host, error))?;
    if host.contains(':') || guest.contains(':') {
        let reason = "WasmEdge takes the colon in its name for the end of it";
        return Err(Failure::cannot_open_directory(host, reason));
    }
    Ok(format!("{guest}:{host}"))
}
