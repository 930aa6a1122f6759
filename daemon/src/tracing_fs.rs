//! The kernel's tracing file system, which names the tracepoints.

use std::path::Path;

use anyhow::Context as _;
use nix::mount::{MsFlags, mount, umount};

const PLACE: &str = "/sys/kernel/tracing";

/// tracefs, mounted; where we did it, dropping this unmounts it.
pub(crate) struct TracingFs {
    ours: bool,
}

impl TracingFs {
    /// Mounts tracefs where it is not.
    pub(crate) fn ensure() -> anyhow::Result<Self> {
        if Path::new(PLACE).join("events").is_dir() {
            return Ok(Self { ours: false });
        }
        mount(Some("tracefs"), PLACE, Some("tracefs"), MsFlags::empty(), None::<&str>).with_context(|| {
            format!("cannot mount tracefs at {PLACE}; run wbd as root, or mount it: mount -t tracefs tracefs {PLACE}")
        })?;
        Ok(Self { ours: true })
    }
}

impl Drop for TracingFs {
    fn drop(&mut self) {
        if self.ours {
            let _ = umount(PLACE); // somebody else may be using it by now
        }
    }
}
