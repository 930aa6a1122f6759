//! The kernel's tracing file system, which names the tracepoints.

use std::path::Path;

use nix::mount::{MsFlags, mount, umount};
use procfs::process::{MountInfo, Process};

const PLACE: &str = "/sys/kernel/tracing";

/// tracefs cannot be mounted.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot mount tracefs at {PLACE}: {0}; run wbd as root, or mount it: mount -t tracefs tracefs {PLACE}"
)]
pub(crate) struct NoTracingFs(nix::Error);

/// tracefs, mounted; where we did it, or a daemon before us that was killed, dropping this unmounts it.
pub(crate) struct TracingFs {
    /// What the mount says it is of, which for this file system may be anything.
    source: String,
    ours: bool,
}

impl TracingFs {
    /// As it is. Of this daemon is what bears its name, `instance`.
    pub(crate) fn of(instance: &str) -> Self {
        let source = format!("wbd-{instance}");
        let ours = mounted_source().is_some_and(|there| there == source);
        Self { source, ours }
    }

    /// Mounts tracefs where it is not: at first, or again where another daemon took its mount along.
    pub(crate) fn ensure(&mut self) -> Result<(), NoTracingFs> {
        if Path::new(PLACE).join("events").is_dir() {
            return Ok(());
        }
        mount(
            Some(self.source.as_str()),
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

/// What the topmost mount there is of.
fn mounted_source() -> Option<String> {
    let mounts = Process::myself().and_then(|me| me.mountinfo()).ok()?;
    let here = |mount: &&MountInfo| mount.mount_point == Path::new(PLACE);
    mounts.0.iter().rfind(here)?.mount_source.clone()
}
