//! From a module to the guest's end.

use std::cell::RefCell;
use std::fmt::Display;

use wbd_runner::module::read;
use wbd_runner::{Ending, Failure, Run, marks};

use crate::host::Host;
use crate::wasm3::{Error, Module, Runtime};
use crate::{host, imports, wasi};

/// Runs the module's `_start`.
///
/// Wasm3 compiles a function against the memory and the imports it will run with, so these are made first.
pub(crate) fn run(run: &Run) -> Result<Ending, Failure> {
    let runtime = Runtime::new()?;
    marks::engine_ready();
    let bytes = read(&run.module)?;
    let host = RefCell::new(Host::new(wasi::context(run)?));
    let module = compiled(&runtime, &bytes, &host, run)?;
    marks::module_ready();
    if let Err(trap) = module.run_start() {
        return Ok(ending(Err(trap), &host));
    }
    let start = module
        .find(c"_start")
        .map_err(|error| Failure::cannot_instantiate(&run.module, format_args!("`_start`: {error}")))?;
    marks::instance_ready();
    marks::guest();
    Ok(ending(start.call(), &host))
}

/// All of it: left to itself, Wasm3 compiles a function when it is first called.
fn compiled<'a>(
    runtime: &'a Runtime,
    bytes: &'a [u8],
    host: &'a RefCell<Host>,
    run: &Run,
) -> Result<Module<'a>, Failure> {
    let not_compiled = |error: Error| Failure::cannot_compile(&run.module, error);
    let module = Module::load(runtime, bytes).map_err(not_compiled)?;
    link(bytes, &module, host, run)?;
    module.compile().map_err(not_compiled)?;
    Ok(module)
}

/// Wasm3 takes an import that nobody provides for a trap, and only when it is called: it is refused here.
fn link<'a>(bytes: &[u8], module: &Module<'a>, host: &'a RefCell<Host>, run: &Run) -> Result<(), Failure> {
    let refused = |error: &dyn Display| Failure::cannot_instantiate(&run.module, error);
    for import in imports::of(bytes).map_err(|error| refused(&error))? {
        let function = host::find(&import).ok_or_else(|| {
            refused(&format_args!(
                "nobody provides `{}::{}`",
                import.module, import.name
            ))
        })?;
        module.link(function, host).map_err(|error| refused(&error))?;
    }
    Ok(())
}

/// What the host functions know of the end goes before what Wasm3 makes of it.
fn ending(result: Result<(), Error>, host: &RefCell<Host>) -> Ending {
    let told = host.borrow_mut().ending.take();
    told.unwrap_or_else(|| match result {
        Ok(()) => Ending::Exited(0),
        Err(trap) => Ending::Trapped(trap.to_string()),
    })
}
