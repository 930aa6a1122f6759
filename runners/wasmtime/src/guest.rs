//! From machine code to the guest's end.
//!
//! The guest gets its arguments, the variables and directories named on the command line, and the
//! runner's standard streams. It gets nothing else: no inherited environment, no other file.

use tokio::runtime::Runtime;
use wasmtime::{Engine, Linker, Module, Store, Trap, TypedFunc};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};
use wbd_runner::{Ending, Failure, Preopen, Run, marks};

/// Runs the module's `_start`.
pub(crate) fn run(engine: &Engine, module: &Module, run: &Run) -> Result<Ending, Failure> {
    let mut store = Store::new(engine, wasi(run)?);
    let start = match instantiate(engine, module, &mut store) {
        Ok(start) => start,
        Err(error) if is_the_guests_own(&error) => return Ok(ending(Err(error))),
        Err(error) => {
            return Err(Failure::cannot_instantiate(
                &run.module,
                format_args!("{error:#}"),
            ));
        }
    };
    let runtime = host_call_runtime(module)?;
    let _entered = runtime.as_ref().map(Runtime::enter);
    marks::instance_ready();
    marks::guest();
    Ok(ending(start.call(&mut store, ())))
}

fn wasi(run: &Run) -> Result<WasiP1Ctx, Failure> {
    let mut builder = WasiCtxBuilder::new();
    builder.inherit_stdio();
    // A file operation is then a plain system call, as in a native program, and not a message to a thread.
    builder.allow_blocking_current_thread(true);
    builder
        .arg(run.program_name())
        .args(&run.arguments)
        .envs(&run.environment);
    for Preopen { host, guest } in &run.preopens {
        builder
            .preopened_dir(host, guest, FsPerms::ReadWrite)
            .map_err(|error| Failure::cannot_open_directory(host, format_args!("{error:#}")))?;
    }
    Ok(builder.build_p1())
}

fn instantiate(
    engine: &Engine,
    module: &Module,
    store: &mut Store<WasiP1Ctx>,
) -> wasmtime::Result<TypedFunc<(), ()>> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
    let instance = linker.instantiate(&mut *store, module)?;
    instance.get_typed_func(store, "_start")
}

/// The tokio runtime in which wasmtime-wasi's host calls are to run; none: the one it makes itself.
///
/// Left to itself, wasmtime-wasi starts a runtime with a thread for each core on the guest's first
/// blocking call, and charges it to the guest. A runtime without threads, already entered, spares that:
/// preview 1 asks nothing of it but to poll futures that are ready at once. The one exception is
/// `poll_oneoff`, whose timers need a runtime that somebody drives.
fn host_call_runtime(module: &Module) -> Result<Option<Runtime>, Failure> {
    if module.imports().any(|import| import.name() == "poll_oneoff") {
        return Ok(None);
    }
    tokio::runtime::Builder::new_current_thread()
        .build()
        .map(Some)
        .map_err(|error| {
            Failure::new(format_args!(
                "cannot make a tokio runtime: {error}; see the limits of this process"
            ))
        })
}

/// Whether instantiation failed by what the module's own start function did.
fn is_the_guests_own(error: &wasmtime::Error) -> bool {
    error.is::<Trap>() || error.is::<I32Exit>()
}

/// The trap itself, without the guest's backtrace that leads to it.
fn trap(error: &wasmtime::Error) -> String {
    let trap = error
        .downcast_ref::<Trap>()
        .map(|trap| format!("wasm trap: {trap}"));
    trap.unwrap_or_else(|| format!("{error:#}"))
}

fn ending(result: wasmtime::Result<()>) -> Ending {
    match result {
        Ok(()) => Ending::Exited(0),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ending::Exited(exit.0),
            None => Ending::Trapped(trap(&error)),
        },
    }
}
