//! What the guest gets: its arguments, the variables and directories named on the command line, and the runner's
//! standard streams. It gets nothing else: no inherited environment, no other file.

use std::fmt::Display;
use std::os::fd::AsFd;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};
use wasi_common::sync::WasiCtxBuilder;
use wasi_common::{StringArrayError, WasiCtx, sync};
use wbd_runner::{Failure, Preopen, Run};

/// WASI's side of a run.
pub(crate) fn context(run: &Run) -> Result<WasiCtx, Failure> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdin(stream(std::io::stdin())?)
        .stdout(stream(std::io::stdout())?)
        .stderr(stream(std::io::stderr())?);
    strings(&mut builder, run).map_err(|error| {
        Failure::new(format_args!(
            "cannot pass on arguments and variables: {error}; give fewer and shorter ones"
        ))
    })?;
    for Preopen { host, guest } in &run.preopens {
        let refused = |error: &dyn Display| Failure::cannot_open_directory(host, error);
        let directory = Dir::open_ambient_dir(host, ambient_authority()).map_err(|error| refused(&error))?;
        builder
            .preopened_dir(directory, guest)
            .map_err(|error| refused(&error))?;
    }
    Ok(builder.build())
}

/// The descriptor itself: each `fd_write` of the guest is one `writev`, as in Wasm3's own WASI.
fn stream(descriptor: impl AsFd) -> Result<Box<sync::file::File>, Failure> {
    let file = descriptor.as_fd().try_clone_to_owned().map_err(|error| {
        Failure::new(format_args!(
            "cannot duplicate a standard stream: {error}; start the runner with all three open"
        ))
    })?;
    let file = File::from_std(file.into());
    Ok(Box::new(sync::file::File::from_cap_std(file)))
}

fn strings(builder: &mut WasiCtxBuilder, run: &Run) -> Result<(), StringArrayError> {
    builder
        .arg(&run.program_name())?
        .args(&run.arguments)?
        .envs(&run.environment)?;
    Ok(())
}
