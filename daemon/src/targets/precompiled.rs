//! Code compiled ahead of time: made by a runner, kept under the hash of all that it depends on.
//!
//! A workload's code is kept for good, under the hash of the module, the runner (its bytes say engine,
//! version and flags) and the mode. A caller's own module is compiled by the caller's rights, since the
//! daemon must not read for somebody what they may not, and its code goes with the experiment.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wbd_linux::gate::Identity;
use xxhash_rust::xxh3::Xxh3;

/// Why there is no precompiled code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrecompileError {
    /// A file cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The runner refused the module.
    #[error("{0}")]
    Refused(String),
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> PrecompileError {
    move |source| PrecompileError::File {
        path: path.to_owned(),
        source,
    }
}

/// Precompiled code; a caller's own is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Precompiled {
    /// The file.
    pub(crate) path: PathBuf,
    temporary: bool,
}

impl Drop for Precompiled {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The directory of precompiled code.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// Opens it in the state directory, without what an earlier daemon left half made.
    ///
    /// Callers' runs read from it, so others may pass through it, but not look around.
    pub(crate) fn open(state: &Path) -> Result<Self, PrecompileError> {
        let directory = state.join("code");
        fs::create_dir_all(&directory).map_err(file(&directory))?;
        for passage in [state, &directory] {
            fs::set_permissions(passage, fs::Permissions::from_mode(0o711)).map_err(file(passage))?;
        }
        for entry in fs::read_dir(&directory).map_err(file(&directory))?.flatten() {
            if entry.path().extension().is_some_and(|ending| ending != "code") {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(Self { directory })
    }

    /// The code of a workload's module, made now where it is not there yet.
    pub(crate) fn of_workload(&self, runner: &Path, module: &Path) -> Result<Precompiled, PrecompileError> {
        let path = self.directory.join(format!("{}.code", key(runner, module)?));
        if !path.is_file() {
            let unfinished = path.with_extension("part");
            compile(runner, module, &unfinished, None)?;
            fs::rename(&unfinished, &path).map_err(file(&path))?;
        }
        Ok(Precompiled {
            path,
            temporary: false,
        })
    }

    /// The code of a caller's own module, for one experiment.
    pub(crate) fn of_caller(
        &self,
        runner: &Path,
        module: &Path,
        caller: &Identity,
        number: usize,
    ) -> Result<Precompiled, PrecompileError> {
        let path = self.directory.join(format!("caller-{number}.own"));
        let made = Precompiled {
            path,
            temporary: true,
        };
        compile(runner, module, &made.path, Some(caller))?;
        Ok(made)
    }
}

fn key(runner: &Path, module: &Path) -> Result<String, PrecompileError> {
    let mut hash = Xxh3::new();
    for part in [runner, module] {
        let bytes = fs::read(part).map_err(file(part))?;
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    Ok(format!("{:032x}", hash.digest128()))
}

fn compile(
    runner: &Path,
    module: &Path,
    to: &Path,
    caller: Option<&Identity>,
) -> Result<(), PrecompileError> {
    let output = create(to)?;
    let mut command = Command::new(runner);
    command
        .arg("compile")
        .arg(module)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output);
    if let Some(caller) = caller {
        command.uid(caller.uid).gid(caller.gid);
    }
    let done = command.stderr(Stdio::piped()).output().map_err(file(runner))?;
    if done.status.success() {
        return Ok(());
    }
    let _ = fs::remove_file(to);
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(PrecompileError::Refused(
        said.strip_prefix("wbd-runner: ").unwrap_or(&said).to_owned(),
    ))
}

fn create(path: &Path) -> Result<File, PrecompileError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(path)
        .map_err(file(path))
}
