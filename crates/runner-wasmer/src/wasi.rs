//! What the guest gets: its arguments, the variables and directories named on the command line, and the runner's
//! standard streams.
//!
//! The streams are WASIX's own, as under Wasmer's command: nothing here buffers, and nothing here spares a flush.
//! The file system is WASIX's too, and begins empty in memory; the directories named are mounted into it.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};
use wasmer::{Engine, Module};
use wasmer_wasix::virtual_fs::{MountFileSystem, TmpFileSystem, host_fs};
use wasmer_wasix::{WasiEnv, WasiEnvBuilder};
use wbd_runner::{Failure, Preopen, Run};

/// The guest's surroundings, in the tokio runtime that has been entered.
pub(crate) fn surroundings(engine: &Engine, run: &Run) -> Result<WasiEnvBuilder, Failure> {
    let mut builder = WasiEnv::builder(run.program_name());
    builder.set_engine(engine.clone());
    builder.add_args(&run.arguments);
    builder.add_envs(run.environment.iter().map(|(name, value)| (name, value)));
    builder.set_mount_fs(file_system(&run.preopens)?);
    for Preopen { host, guest } in &run.preopens {
        builder
            .add_map_dir(guest, guest)
            .map_err(|error| Failure::cannot_open_directory(host, error))?;
    }
    Ok(builder)
}

fn file_system(preopens: &[Preopen]) -> Result<MountFileSystem, Failure> {
    let root = MountFileSystem::new();
    root.mount(Path::new("/"), Arc::new(TmpFileSystem::new()))
        .expect("nothing is mounted yet");
    for Preopen { host, guest } in preopens {
        mount(&root, host, guest)?;
    }
    Ok(root)
}

/// WASIX's own message on a directory that is not there does not say so.
fn mount(root: &MountFileSystem, host: &str, guest: &str) -> Result<(), Failure> {
    std::fs::read_dir(host).map_err(|error| Failure::cannot_open_directory(host, error))?;
    host_fs::FileSystem::new(Handle::current(), host)
        .and_then(|directory| root.set_mount(Path::new("/").join(guest), Arc::new(directory)))
        .map_err(|error| Failure::cannot_open_directory(host, error))
}

/// The tokio runtime for WASIX's host calls.
///
/// WASIX hands each operation on a stream or a file to a thread of tokio's pool for blocking work, and waits for it
/// on the guest's own thread. A runtime without workers has that pool too; workers are needed by timers alone, which
/// of preview 1 is `poll_oneoff`, and by what is not preview 1.
pub(crate) fn runtime(module: &Module) -> Result<Runtime, Failure> {
    let mut builder = if needs_workers(module) {
        Builder::new_multi_thread()
    } else {
        Builder::new_current_thread()
    };
    builder.enable_all().build().map_err(|error| {
        Failure::new(format_args!(
            "cannot make a tokio runtime: {error}; see the limits of this process"
        ))
    })
}

fn needs_workers(module: &Module) -> bool {
    let mut imports = module.imports();
    imports.any(|import| import.module() != "wasi_snapshot_preview1" || import.name() == "poll_oneoff")
}
