//! Code compiled ahead of time: made by a runner, kept under the hash of all that it depends on.
//!
//! A workload's code is kept for good, under the hash of the module, the runner (its bytes say engine,
//! version and flags) and the mode. A caller's own module is compiled by the caller's rights, since the
//! daemon must not read for somebody what they may not, and its code goes with the experiment.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wbd_linux::gate::{Identity, Program};
use xxhash_rust::xxh3::Xxh3;

use crate::launch::helper;
use crate::launch::process::MeansError;
use crate::launch::slot::Slot;

/// Mode of a workload's code.
const FOR_ALL: u32 = 0o444;
/// Mode of a caller's own code.
const FOR_CALLER: u32 = 0o400;
/// How long an engine may compile one module.
const TIME_LIMIT: Duration = Duration::from_secs(300);

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
    /// The daemon's own means failed.
    #[error(transparent)]
    Means(#[from] MeansError),
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
    pub(crate) fn of_workload(
        &self,
        mut compiler: Compiler<'_>,
        module: &Path,
    ) -> Result<Precompiled, PrecompileError> {
        let path = self
            .directory
            .join(format!("{}.code", key(compiler.runner, module)?));
        if !path.is_file() {
            let unfinished = path.with_extension("part");
            compiler.compile(module, &unfinished, FOR_ALL)?;
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
        mut compiler: Compiler<'_>,
        module: &Path,
        number: usize,
    ) -> Result<Precompiled, PrecompileError> {
        let path = self.directory.join(format!("caller-{number}.own"));
        let made = Precompiled {
            path,
            temporary: true,
        };
        compiler.compile(module, &made.path, FOR_CALLER)?;
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

/// Who compiles, where, and for how long at most.
pub(crate) struct Compiler<'a> {
    /// The runner of the engine.
    pub(crate) runner: &'a Path,
    /// Whose rights it runs with.
    pub(crate) caller: &'a Identity,
    /// The cgroup it runs in.
    pub(crate) slot: &'a mut Slot,
}

impl Compiler<'_> {
    fn compile(&mut self, module: &Path, to: &Path, mode: u32) -> Result<(), PrecompileError> {
        let output = create(to, self.caller, mode)?;
        let [runner, module] = [self.runner, module].map(|path| path.display().to_string());
        let args = [runner.clone(), "compile".to_owned(), module];
        let program = Program::new(&runner, &args, &[], "/", self.caller.clone());
        let program = program.map_err(|error| PrecompileError::Refused(error.to_string()))?;
        let compiled = helper::run(self.slot, &program, &output, TIME_LIMIT)?;
        compiled.map_err(|said| {
            let _ = fs::remove_file(to);
            PrecompileError::Refused(said.strip_prefix("wbd-runner: ").unwrap_or(&said).to_owned())
        })
    }
}

/// Makes a file for code, the caller's own.
fn create(path: &Path, caller: &Identity, mode: u32) -> Result<File, PrecompileError> {
    let _ = fs::remove_file(path); // of an earlier experiment, perhaps another caller's
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(file(path))?;
    chown(path, Some(caller.uid), Some(caller.gid)).map_err(file(path))?;
    Ok(created)
}
