//! A cell that is a command of the caller's own: what it runs decides how its guest is seen.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use wbd_linux::gate::{Identity, Program};
use wbd_model::RunRequest;

use super::plan::{Means, PlanError, PlannedCell, stem, usage, utf8};

/// A command of the caller's own.
pub(super) fn planned(request: &RunRequest, caller: &Identity) -> Result<PlannedCell, PlanError> {
    let [path, args @ ..] = request.command.as_slice() else {
        return Err(usage("the command is empty"));
    };
    if !Path::new(path).is_absolute() {
        return Err(usage("a command's path must be absolute"));
    }
    let mut program = Program::new(
        path,
        &request.command,
        &request.env,
        utf8(&request.cwd)?,
        caller.clone(),
    )?;
    for variable in &request.env_bytes {
        let variable = CString::new(variable.as_slice());
        program = program.and_variable(variable.map_err(|_| usage("a variable has a zero byte inside"))?);
    }
    Ok(PlannedCell {
        target: "command".to_owned(),
        workload: stem(Path::new(path)),
        args: args.to_vec(),
        size: None,
        output: None,
        means: Ok(match module(args, &request.cwd) {
            _ if is_client(path) => Means::Client(program),
            Some(module) => Means::Engine { program, module },
            None => Means::Program(program),
        }),
    })
}

/// Whether a program is Docker's client: what it runs, runs in a container that others make.
fn is_client(path: &str) -> bool {
    Path::new(path).file_name().is_some_and(|name| name == "docker")
}

/// How the files of modules end, and of the machine code that engines make of them.
const MODULE_ENDINGS: [&str; 6] = ["wasm", "wat", "cwasm", "wasmu", "so", "aot"];

/// The module that a command names among its arguments: the first file of such an ending.
fn module(args: &[String], cwd: &Path) -> Option<PathBuf> {
    let is_module = |arg: &&String| {
        let ending = Path::new(arg.as_str()).extension();
        ending.is_some_and(|ending| MODULE_ENDINGS.iter().any(|known| ending == *known))
    };
    args.iter().find(is_module).map(|module| cwd.join(module))
}
