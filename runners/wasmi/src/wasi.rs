//! What the guest gets: its arguments, the variables and directories named on the command line, and the runner's
//! standard streams. It gets nothing else: no inherited environment, no other file.

use wasmi_wasi::{Dir, WasiCtx, WasiCtxBuilder, ambient_authority};
use wbd_runner::{Failure, Preopen, Run};

/// WASI's side of a run.
pub(crate) fn context(run: &Run) -> Result<WasiCtx, Failure> {
    let mut builder = WasiCtxBuilder::new();
    builder.inherit_stdio();
    strings(&mut builder, run).map_err(|error| {
        Failure::new(format_args!(
            "cannot pass on arguments and variables: {error}; give fewer and shorter ones"
        ))
    })?;
    for Preopen { host, guest } in &run.preopens {
        let refused = |error: &dyn std::fmt::Display| Failure::cannot_open_directory(host, error);
        let directory = Dir::open_ambient_dir(host, ambient_authority()).map_err(|error| refused(&error))?;
        builder
            .preopened_dir(directory, guest)
            .map_err(|error| refused(&error))?;
    }
    Ok(builder.build())
}

fn strings(builder: &mut WasiCtxBuilder, run: &Run) -> Result<(), wasmi_wasi::wasi_common::StringArrayError> {
    builder
        .arg(&run.program_name())?
        .args(&run.arguments)?
        .envs(&run.environment)?;
    Ok(())
}
