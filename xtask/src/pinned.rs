//! A fixed name for the checkout while the kernel object is built.
//!
//! Cargo derives a crate's identity from the absolute path of a path dependency outside the workspace, `crates/abi`
//! here, and the identity is part of every symbol. Reached through one name, each checkout gives the same object; who
//! builds in another at the same time waits for the name.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

const NAME: &str = "/tmp/wbd-ebpf";
/// Locked by whoever has the name. It stays.
const LOCK: &str = "/tmp/wbd-ebpf.lock";

/// The name, for as long as this value lives.
pub(crate) struct Pinned {
    _lock: File,
}

impl Pinned {
    /// Lets the name stand for the checkout at `root`; one left by a killed build is replaced.
    pub(crate) fn new(root: &Path) -> Result<Self> {
        let lock = File::create(LOCK).and_then(|file| file.lock().map(|()| file));
        let lock = lock.with_context(|| format!("cannot lock {LOCK}"))?;
        if fs::symlink_metadata(NAME).is_ok_and(|entry| entry.is_symlink()) {
            remove()?;
        }
        symlink(root, NAME)
            .with_context(|| format!("cannot link {NAME} to {}: remove what is there", root.display()))?;
        Ok(Self { _lock: lock })
    }

    /// The name.
    pub(crate) fn path(&self) -> &Path {
        Path::new(NAME)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _ = remove(); // a link left behind is replaced by the next build
    }
}

fn remove() -> Result<()> {
    match fs::remove_file(NAME) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {NAME}"))
        }
        _ => Ok(()),
    }
}
