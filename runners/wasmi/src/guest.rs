//! From a module to the guest's end.

use wasmi::{Engine, Error, Linker, Module, Store, TypedFunc};
use wasmi_wasi::WasiCtx;
use wbd_runner::{Ending, Failure, Run, marks};

use crate::wasi;

/// Runs the module's `_start`.
pub(crate) fn run(engine: &Engine, module: &Module, run: &Run) -> Result<Ending, Failure> {
    let mut store = Store::new(engine, wasi::context(run)?);
    let start = match instantiate(engine, module, &mut store) {
        Ok(start) => start,
        Err(error) if is_the_guests_own(&error) => return Ok(ending(Err(error))),
        Err(error) => return Err(Failure::cannot_instantiate(&run.module, error)),
    };
    marks::instance_ready();
    marks::guest();
    Ok(ending(start.call(&mut store, ())))
}

fn instantiate(
    engine: &Engine,
    module: &Module,
    store: &mut Store<WasiCtx>,
) -> Result<TypedFunc<(), ()>, Error> {
    let mut linker = Linker::new(engine);
    wasmi_wasi::add_to_linker(&mut linker, |wasi| wasi).map_err(|error| Error::new(error.to_string()))?;
    let instance = linker.instantiate_and_start(&mut *store, module)?;
    instance
        .get_typed_func(&*store, "_start")
        .map_err(|error| Error::new(format!("`_start`: {error}")))
}

/// Whether instantiation failed by what the module's own start function did.
fn is_the_guests_own(error: &Error) -> bool {
    error.as_trap_code().is_some() || error.i32_exit_status().is_some()
}

fn ending(result: Result<(), Error>) -> Ending {
    match result {
        Ok(()) => Ending::Exited(0),
        Err(error) => match error.i32_exit_status() {
            Some(status) => Ending::Exited(status),
            None => Ending::Trapped(error.to_string()),
        },
    }
}
