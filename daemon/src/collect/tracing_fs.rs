//! The kernel's tracing file system, which names the tracepoints.

use std::path::Path;

use nix::mount::{MsFlags, mount, umount};

const PLACE: &str = "/sys/kernel/tracing";

/// tracefs cannot be mounted.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot mount tracefs at {PLACE}: {0}; run wbd as root, or mount it: mount -t tracefs tracefs {PLACE}"
)]
pub(crate) struct NoTracingFs(nix::Error);

/// tracefs, mounted; where we did it, dropping this unmounts it.
#[derive(Default)]
pub(crate) struct TracingFs {
    ours: bool,
}

impl TracingFs {
    /// Mounts tracefs where it is not: at first, or again where another daemon took its mount along.
    pub(crate) fn ensure(&mut self) -> Result<(), NoTracingFs> {
        if Path::new(PLACE).join("events").is_dir() {
            return Ok(());
        }
        mount(
            Some("tracefs"),
            PLACE,
            Some("tracefs"),
            MsFlags::empty(),
            None::<&str>,
        )
        .map_err(NoTracingFs)?;
        self.ours = true;
        Ok(())
    }
}

impl Drop for TracingFs {
    fn drop(&mut self) {
        if self.ours {
            let _ = umount(PLACE); // somebody else may be using it by now
        }
    }
}
