//! The kernel's tracing file system, which names the tracepoints.

use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount, umount};
use procfs::process::Process;

const PLACE: &str = "/sys/kernel/tracing";

/// tracefs cannot be mounted.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot mount tracefs at {PLACE}: {0}; run wbd as root, or mount it: mount -t tracefs tracefs {PLACE}"
)]
pub(crate) struct NoTracingFs(nix::Error);

/// tracefs, mounted; where we did it, or a daemon before us that was killed, dropping this unmounts it.
pub(crate) struct TracingFs {
    ours: bool,
    /// Says which mount is ours, for the daemon after one that is killed.
    note: PathBuf,
}

impl TracingFs {
    /// As it is; in the directory `state` a daemon writes down that it mounted it.
    pub(crate) fn noted_in(state: &Path) -> Self {
        let note = state.join("tracefs");
        let ours = fs::read_to_string(&note).is_ok_and(|noted| mounted().is_some_and(|there| there == noted));
        Self { ours, note }
    }

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
        if let Err(error) = fs::write(&self.note, mounted().unwrap_or_default()) {
            tracing::warn!(
                "{}: {error}; if wbd is killed, tracefs stays mounted",
                self.note.display()
            );
        }
        Ok(())
    }
}

impl Drop for TracingFs {
    fn drop(&mut self) {
        if self.ours {
            let _ = umount(PLACE); // somebody else may be using it by now
            let _ = fs::remove_file(&self.note); // it could not be written, perhaps
        }
    }
}

/// Which mount is there: its number, which holds until it is unmounted, in this life of the machine.
fn mounted() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let mounts = Process::myself().and_then(|me| me.mountinfo()).ok()?;
    let here = |mount: &&procfs::process::MountInfo| {
        mount.fs_type == "tracefs" && mount.mount_point == Path::new(PLACE)
    };
    let latest = mounts.0.iter().rfind(here)?;
    Some(format!("{} {}\n", boot.trim(), latest.mnt_id))
}
