//! Runners that bring their own dynamic loader, made at home where their installation lies.
//!
//! The kernel finds a program's loader by the path that its file names, from the root: of an installation that was
//! copied or moved that is the place it was built in. So before such a runner is first used it is told the loader
//! beside it, in the room that its build left for the name. Its libraries it finds from its own place anyway.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use wbd_linux::loader::{self, Named};

/// Why a runner cannot be told its loader.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MovedError {
    /// The name does not fit.
    #[error("its file has room for a loader's path of {} bytes, and {} is longer", room - 1, path.display())]
    TooLong {
        /// The loader beside the runner.
        path: PathBuf,
        /// Bytes that there are, NUL included.
        room: usize,
    },
    /// It cannot be written anew.
    #[error("it names its loader by the place it was built in, and {} cannot be written: {source}", path.display())]
    Unwritable {
        /// The new file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Held while a runner is looked at and written: several requests may meet it first.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Writes the runner anew where it names another loader than the one that lies beside it.
pub(crate) fn settle(runner: &Path) -> Result<(), MovedError> {
    let Some(libraries) = libraries(runner) else {
        return Ok(());
    };
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // What cannot be read is told when it does not start.
    let Ok(mut program) = fs::read(runner) else {
        return Ok(());
    };
    let Ok(Some(named)) = loader::named(&program) else {
        return Ok(());
    };
    let own = libraries.join(named.path.file_name().unwrap_or_default());
    if named.path == own || !own.is_file() {
        return Ok(());
    }
    rename(&mut program, &named, &own)?;
    replace(runner, &program)?;
    tracing::info!(
        "{} was moved: its loader is now {}",
        runner.display(),
        own.display()
    );
    Ok(())
}

/// The folder of an engine's own libraries, `ENGINE/lib` beside `wbd-runner-ENGINE`.
fn libraries(runner: &Path) -> Option<PathBuf> {
    let engine = runner.file_name()?.to_str()?.strip_prefix("wbd-runner-")?;
    let libraries = runner.parent()?.join(engine).join("lib");
    libraries.is_dir().then_some(libraries)
}

fn rename(program: &mut [u8], named: &Named, loader: &Path) -> Result<(), MovedError> {
    let name = loader.as_os_str().as_bytes();
    let room = program.get_mut(named.offset..named.offset + named.room);
    match room {
        Some(room) if name.len() < room.len() => {
            room.fill(0);
            room[..name.len()].copy_from_slice(name);
            Ok(())
        }
        _ => Err(MovedError::TooLong {
            path: loader.to_owned(),
            room: named.room,
        }),
    }
}

fn fresh(runner: &Path) -> PathBuf {
    runner.with_extension(format!("{}.new", std::process::id()))
}

/// At once: whoever runs the old file keeps it.
fn replace(runner: &Path, program: &[u8]) -> Result<(), MovedError> {
    // Another daemon of the same installation may do the same.
    let fresh = fresh(runner);
    let written = fs::write(&fresh, program)
        .and_then(|()| fs::metadata(runner))
        .and_then(|old| fs::set_permissions(&fresh, old.permissions()))
        .and_then(|()| fs::rename(&fresh, runner));
    written.map_err(|source| {
        let _ = fs::remove_file(&fresh);
        MovedError::Unwritable { path: fresh, source }
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A dynamic program of the system's, installed as a runner with the loader of the system's beside it.
    fn installed(folder: &Path) -> (PathBuf, PathBuf) {
        let program = fs::read("/proc/self/exe").unwrap();
        let system = loader::named(&program).unwrap().expect("a dynamic program").path;
        let libraries = folder.join("x/lib");
        fs::create_dir_all(&libraries).unwrap();
        let own = libraries.join(system.file_name().unwrap());
        fs::copy(&system, &own).unwrap();
        let runner = folder.join("wbd-runner-x");
        fs::copy("/proc/self/exe", &runner).unwrap();
        (runner, own)
    }

    /// The loader's name in this test is as short as the system's, and no folder's path is shorter.
    #[test]
    fn a_name_that_does_not_fit_is_told_and_the_runner_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (runner, own) = installed(folder.path());
        let before = fs::read(&runner).unwrap();
        let error = settle(&runner).unwrap_err().to_string();
        assert!(error.contains(&own.display().to_string()), "{error}");
        assert_eq!(fs::read(&runner).unwrap(), before);
    }

    #[test]
    fn a_runner_without_a_loader_beside_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (runner, own) = installed(folder.path());
        fs::remove_file(own).unwrap();
        settle(&runner).unwrap();
    }

    #[test]
    fn the_new_name_fills_the_room_of_the_old_one() {
        let named = Named {
            path: "//old".into(),
            offset: 2,
            room: 6,
        };
        let mut program = *b"ab//old\0cd";
        rename(&mut program, &named, Path::new("/n")).unwrap();
        assert_eq!(&program, b"ab/n\0\0\0\0cd");
        assert!(rename(&mut program, &named, Path::new("/12345")).is_err());
    }

    #[test]
    fn the_new_file_is_as_executable_as_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let (runner, _) = installed(folder.path());
        let program = fs::read(&runner).unwrap();
        replace(&runner, &program).unwrap();
        assert!(
            Command::new(&runner)
                .arg("--list")
                .output()
                .unwrap()
                .status
                .success()
        );
        assert!(!fresh(&runner).exists());
    }
}
