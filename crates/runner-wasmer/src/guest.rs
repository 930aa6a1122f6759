//! From machine code to the guest's end.

use wasmer::{AsStoreRef, InstantiationError, Module, RuntimeError, Store, TypedFunction};
use wasmer_wasix::types::wasi::{Errno, ExitCode};
use wasmer_wasix::{WasiError, WasiFunctionEnv, WasiRuntimeError, WasiThreadError};
use wbd_runner::{Ending, Failure, Run, marks};

use crate::wasi;

/// Runs the module's `_start`.
pub(crate) fn run(store: &mut Store, module: &Module, run: &Run) -> Result<Ending, Failure> {
    let runtime = wasi::runtime(module)?;
    let _entered = runtime.enter();
    let (start, wasi) = match instantiate(store, module, run)? {
        Ok(ready) => ready,
        Err(ending) => return Ok(ending),
    };
    marks::instance_ready();
    marks::guest();
    let ending = ending(start.call(store));
    close_files(&wasi, store, &ending);
    // Nothing is waited for: the process ends at once.
    runtime.shutdown_background();
    Ok(ending)
}

type Start = TypedFunction<(), ()>;

/// The instance's `_start`; or how the guest ended before, in the module's own start function.
fn instantiate(
    store: &mut Store,
    module: &Module,
    run: &Run,
) -> Result<Result<(Start, WasiFunctionEnv), Ending>, Failure> {
    let builder = wasi::surroundings(store.engine(), run)?;
    let refused = |error: &dyn std::fmt::Display| Failure::cannot_instantiate(&run.module, error);
    let (instance, wasi) = match builder.instantiate(module.clone(), store) {
        Ok(instantiated) => instantiated,
        Err(error) => return guests_own(&error).map(Err).ok_or_else(|| refused(&error)),
    };
    let start = instance.exports.get_typed_function(store, "_start");
    start
        .map(|start| Ok((start, wasi)))
        .map_err(|error| refused(&format_args!("`_start`: {error}")))
}

/// The guest's end, if instantiation failed by what the module's own start function did.
fn guests_own(error: &WasiRuntimeError) -> Option<Ending> {
    let WasiRuntimeError::Thread(WasiThreadError::InstanceCreateFailed(failed)) = error else {
        return None;
    };
    match &**failed {
        InstantiationError::Start(error) => Some(ending(Err(error.clone()))),
        _ => None,
    }
}

fn ending(result: Result<(), RuntimeError>) -> Ending {
    let Err(error) = result else {
        return Ending::Exited(0);
    };
    match error.downcast_ref::<WasiError>() {
        Some(WasiError::Exit(code)) => Ending::Exited(code.raw()),
        Some(WasiError::ThreadExit) => Ending::Exited(0),
        Some(other) => Ending::Trapped(other.to_string()),
        None => Ending::Trapped(error.message()),
    }
}

/// WASIX writes to files behind the guest's back: until they are closed, what was written may not be there.
fn close_files(wasi: &WasiFunctionEnv, store: &impl AsStoreRef, ending: &Ending) {
    let code = match ending {
        Ending::Exited(status) => ExitCode::from(*status),
        Ending::Trapped(_) => Errno::Noexec.into(),
    };
    wasi.data(store).blocking_on_exit(Some(code));
}
