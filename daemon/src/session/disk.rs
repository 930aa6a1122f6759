//! What a cell takes on disk: what would have to be shipped to run it elsewhere.
//!
//! Only of the daemon's own files. What a caller names is not looked at with the daemon's rights: the size of a file
//! is more than some callers may know.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use wbd_model::Disk;
use wbd_model::host::Unavailable;

use super::plan::{Means, PlannedCell};
use super::prepare::{Containers, How, ReadyCell};
use crate::targets::runners::Runners;

/// Of a cell that is ready; none where its program is the caller's own, or is gone.
pub(super) fn of(
    planned: &PlannedCell,
    ready: &ReadyCell,
    runners: &Runners,
    containers: &Result<Containers, Unavailable>,
) -> Option<Disk> {
    planned.size?;
    let means = planned.means.as_ref().ok()?;
    let engine = match means {
        Means::Runner { runner, .. } => Some(runners.get(runner).ok()?.bytes),
        Means::Program(_) | Means::Client(_) | Means::Engine { .. } | Means::Container { .. } => None,
    };
    let program = match (means, &ready.how) {
        (_, How::Container { image, .. }) => image_bytes(containers, image),
        (Means::Runner { module, .. }, _) => bytes(
            ready
                .code
                .as_ref()
                .map_or(module.as_path(), |code| code.path.as_path()),
        ),
        (_, How::Process { program, .. }) => bytes(Path::new(OsStr::from_bytes(program.path().to_bytes()))),
    };
    Some(Disk {
        program: program?,
        engine,
    })
}

fn bytes(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.len())
}

fn image_bytes(containers: &Result<Containers, Unavailable>, image: &str) -> Option<u64> {
    let Containers { runtime, engine } = containers.as_ref().ok()?;
    runtime.block_on(engine.image_bytes(image))
}
