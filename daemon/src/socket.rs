//! The socket clients connect to, and that only one daemon has it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Group, chown};
use tokio::net::UnixListener;

/// The group whose members may connect, where it exists.
const GROUP: &str = "wbd";

/// A lock on a state directory, held as long as the daemon lives.
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not used")] Flock<File>);

/// Makes sure that no other daemon uses this state directory.
pub(crate) fn lock(state: &Path) -> anyhow::Result<Lock> {
    let path = state.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Lock(lock)),
        Err((_, nix::Error::EWOULDBLOCK)) => bail!(
            "another wbd is running on {}; stop it, or give this one another --state and --socket",
            state.display()
        ),
        Err((_, error)) => bail!("cannot lock {}: {error}", path.display()),
    }
}

/// The file of a listening socket; dropping it removes the file.
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Listens where the service manager does, or at `path`, for root and the group `wbd`.
pub(crate) fn bind(path: &Path) -> anyhow::Result<(UnixListener, Option<SocketFile>)> {
    if let Some(passed) = crate::manager::socket()? {
        passed
            .set_nonblocking(true)
            .context("cannot use the service manager's socket")?;
        return Ok((UnixListener::from_std(passed)?, None)); // whose file is the manager's
    }
    let (listener, file) = bind_ourselves(path)?;
    Ok((listener, Some(file)))
}

fn bind_ourselves(path: &Path) -> anyhow::Result<(UnixListener, SocketFile)> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    }
    clear(path)?;
    let listener = UnixListener::bind(path);
    let listener = listener.with_context(|| format!("cannot listen at {}", path.display()))?;
    let file = SocketFile(path.to_owned());
    fs::set_permissions(path, Permissions::from_mode(0o660))
        .with_context(|| format!("cannot set the mode of {}", path.display()))?;
    if let Ok(Some(group)) = Group::from_name(GROUP) {
        chown(path, None, Some(group.gid))
            .with_context(|| format!("cannot give {} to group {GROUP}", path.display()))?;
    }
    Ok((listener, file))
}

/// Removes the socket of a daemon that is no more; anything else stays, and is told.
fn clear(path: &Path) -> anyhow::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.with_context(|| format!("cannot look at {}", path.display()))?,
    };
    if !found.file_type().is_socket() {
        bail!(
            "{} is there and is no socket; name another path with --socket",
            path.display()
        );
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        bail!(
            "a daemon already listens at {}; stop it, or give this one another --socket",
            path.display()
        );
    }
    fs::remove_file(path).with_context(|| format!("cannot remove the old {}", path.display()))
}
