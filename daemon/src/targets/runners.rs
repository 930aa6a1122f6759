//! What is known of the engines' runners: version, the libraries they load, their size on disk.
//!
//! Asking costs two short executions of each, so an answer is kept for as long as runner and libraries are the
//! same files (inode, time of change, size). A runner that does not start is asked anew each time. Libraries that an
//! engine opens while it runs (`dlopen`) are not seen.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError};

use wbd_model::host::Unavailable;

use super::moved;

/// How to get a runner that works.
const MEND: &str = "build and install it again with: cargo xtask build";

/// A runner that starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runner {
    /// Its file.
    pub(crate) path: PathBuf,
    /// The engine and its version, as the runner says it.
    pub(crate) version: String,
    /// Every shared library the dynamic linker loads for it, the system's included.
    pub(crate) libraries: Vec<PathBuf>,
    /// Bytes of the runner, and of the libraries that were installed beside it.
    pub(crate) bytes: u64,
}

/// Runners asked so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runners {
    known: Arc<Mutex<HashMap<PathBuf, Known>>>,
}

#[derive(Debug)]
struct Known {
    stamps: Vec<Stamp>,
    runner: Arc<Runner>,
}

impl Runners {
    /// The runner at `path`, or why it does not start.
    pub(crate) fn get(&self, path: &Path) -> Result<Arc<Runner>, Unavailable> {
        if let Some(runner) = self.remembered(path) {
            return Ok(runner);
        }
        let before = stamp(path).ok();
        let runner = Arc::new(ask(path)?);
        // Of a runner that is being replaced right now nothing is kept.
        if let Ok(stamps) = stamps(&runner)
            && stamps.first() == before.as_ref()
        {
            let known = Known {
                stamps,
                runner: runner.clone(),
            };
            self.lock().insert(path.to_owned(), known);
        }
        Ok(runner)
    }

    fn remembered(&self, path: &Path) -> Option<Arc<Runner>> {
        let known = self.lock();
        let Known { stamps: then, runner } = known.get(path)?;
        stamps(runner)
            .is_ok_and(|now| now == *then)
            .then(|| runner.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What changes when a file does: inode, size, time of change in seconds and nanoseconds.
type Stamp = (u64, u64, i64, i64);

fn stamps(runner: &Runner) -> io::Result<Vec<Stamp>> {
    let files = std::iter::once(&runner.path).chain(&runner.libraries);
    files.map(|file| stamp(file)).collect()
}

fn stamp(file: &Path) -> io::Result<Stamp> {
    let found = fs::metadata(file)?;
    Ok((found.ino(), found.size(), found.ctime(), found.ctime_nsec()))
}

fn ask(path: &Path) -> Result<Runner, Unavailable> {
    let fail = |why: String| Unavailable {
        why: format!("{} does not start: {why}", path.display()),
        mend: MEND.to_owned(),
    };
    moved::settle(path).map_err(|error| fail(error.to_string()))?;
    let execute = |env: &[(&str, &str)]| {
        let mut command = Command::new(path);
        command.arg("version").env_clear().envs(env.iter().copied());
        command.output().map_err(|error| fail(error.to_string()))
    };
    let version = version(&execute(&[])?).map_err(fail)?;
    // The dynamic linker then names what it would load, and starts nothing: what `ldd` does.
    let libraries = libraries(&execute(&[("LD_TRACE_LOADED_OBJECTS", "1")])?.stdout);
    let bytes = bytes(path, &libraries).map_err(|error| fail(error.to_string()))?;
    Ok(Runner {
        path: path.to_owned(),
        version,
        libraries,
        bytes,
    })
}

fn version(output: &Output) -> Result<String, String> {
    let last_line = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.lines().last().map(|line| line.trim().to_owned())
    };
    match (output.status.success(), last_line(&output.stdout)) {
        (true, Some(version)) => Ok(version),
        (true, None) => Err("it names no version".to_owned()),
        (false, _) => Err(last_line(&output.stderr).unwrap_or_else(|| output.status.to_string())),
    }
}

/// Paths in what the dynamic linker prints: `NAME => PATH (ADDRESS)`, or `PATH (ADDRESS)` of the linker itself.
fn libraries(printed: &[u8]) -> Vec<PathBuf> {
    let path = |line: &str| {
        let (library, _address) = line.trim().rsplit_once(" (0x")?;
        let path = library.rsplit_once(" => ").map_or(library, |(_, path)| path);
        path.starts_with('/').then(|| path.into())
    };
    String::from_utf8_lossy(printed)
        .lines()
        .filter_map(path)
        .collect()
}

fn bytes(runner: &Path, libraries: &[PathBuf]) -> io::Result<u64> {
    let home = runner.parent().unwrap_or(Path::new("/")).canonicalize()?;
    let mut sum = fs::metadata(runner)?.len();
    for library in libraries {
        let library = library.canonicalize()?;
        if library.starts_with(&home) {
            sum += fs::metadata(&library)?.len();
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program that counts how often it was asked, and answers with `words`.
    fn install(path: &Path, words: &str) {
        let script = format!("#!/bin/sh\necho asked >> {}.log\n{words}\n", path.display());
        fs::write(path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn times_asked(path: &Path) -> usize {
        let log = format!("{}.log", path.display());
        fs::read_to_string(log).unwrap().lines().count()
    }

    #[test]
    fn a_runner_is_asked_again_when_it_changed_and_only_then() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wbd-runner-x");
        install(&path, "echo x 1.0");
        let runners = Runners::default();
        let first = runners.get(&path).unwrap();
        assert_eq!(first.version, "x 1.0");
        let asked = times_asked(&path);
        assert_eq!(runners.get(&path).unwrap(), first);
        assert_eq!(times_asked(&path), asked, "it was asked again");
        install(&path, "echo x 2.0");
        assert_eq!(runners.get(&path).unwrap().version, "x 2.0");
    }

    #[test]
    fn a_runner_that_does_not_start_is_told_in_its_own_words_and_asked_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wbd-runner-x");
        install(
            &path,
            "echo libx.so: cannot open shared object file >&2; exit 127",
        );
        let runners = Runners::default();
        let unavailable = runners.get(&path).unwrap_err();
        assert!(
            unavailable.why.contains("wbd-runner-x does not start: libx.so"),
            "{unavailable:?}"
        );
        install(&path, "exit 0");
        assert!(runners.get(&path).unwrap_err().why.contains("no version"));
        fs::remove_file(&path).unwrap();
        assert!(runners.get(&path).is_err());
    }

    #[test]
    fn libraries_are_those_the_dynamic_linker_names() {
        let printed = b"\tlinux-vdso.so.1 (0x00007ffd)\n\tlibx.so.0 => /opt/a b/libx.so.0 (0x00007f)\n\
            \tliby.so => not found\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n\tstatically linked\n";
        let found = libraries(printed);
        assert_eq!(
            found,
            ["/opt/a b/libx.so.0", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from)
        );
    }

    /// This very test program is linked against the system's C library.
    #[test]
    fn a_real_programs_libraries_are_found_and_only_those_beside_it_count() {
        let program = std::env::current_exe().unwrap();
        let asked = Command::new(&program)
            .env("LD_TRACE_LOADED_OBJECTS", "1")
            .output()
            .unwrap();
        let found = libraries(&asked.stdout);
        assert!(
            found
                .iter()
                .any(|path| path.to_string_lossy().contains("libc.so")),
            "{found:?}"
        );
        let own = fs::metadata(&program).unwrap().len();
        assert_eq!(bytes(&program, &found).unwrap(), own);
        let dir = tempfile::tempdir().unwrap();
        let [runner, library] = ["runner", "x/lib.so"].map(|name| dir.path().join(name));
        fs::create_dir(dir.path().join("x")).unwrap();
        fs::write(&runner, [0; 10]).unwrap();
        fs::write(&library, [0; 7]).unwrap();
        let all: Vec<_> = found.into_iter().chain([library]).collect();
        assert_eq!(bytes(&runner, &all).unwrap(), 17);
    }
}
