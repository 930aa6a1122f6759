//! From a module to the guest's end.

use wbd_runner::{Ending, Failure, Run, marks};

use crate::runtime::{Function, Instance, Module};
use crate::wasi::Wasi;

/// WAMR's name for a trap, whatever happened.
const TRAP: &str = "Exception: ";

/// What WAMR makes of `proc_exit`: a trap of this name, and a status kept beside it.
const PROC_EXIT: &str = "wasi proc exit";

/// Runs the module's `_start`.
pub(crate) fn run(module: &Module, run: &Run) -> Result<Ending, Failure> {
    let refused = |error: String| Failure::cannot_instantiate(&run.module, error);
    if let Some(import) = module.unlinked() {
        return Err(refused(format!("nobody provides `{import}`")));
    }
    let instance = match module.instantiate(Wasi::new(run)?) {
        Ok(instance) => instance,
        Err(error) if error.contains(TRAP) => return Ok(Ending::Trapped(error)),
        Err(error) => return Err(refused(error)),
    };
    let start = instance
        .start()
        .ok_or_else(|| refused("there is no function `_start` of type () -> ()".to_owned()))?;
    marks::instance_ready();
    marks::guest();
    Ok(ending(&instance, start))
}

fn ending(instance: &Instance, start: Function) -> Ending {
    match instance.call(start) {
        Ok(()) => Ending::Exited(0),
        Err(trap) if trap.contains(PROC_EXIT) => Ending::Exited(instance.exit_status()),
        Err(trap) => Ending::Trapped(trap),
    }
}
