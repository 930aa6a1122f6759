//! Code compiled ahead of time: made by a runner, kept under the hash of all that it depends on.
//!
//! A workload's code is kept for good, under the hash of the module, the runner (its bytes say engine and flags, its
//! own words the version), every shared library that it loads, and the processor, whose features an engine compiles
//! for. A caller's own module is compiled by the caller's rights, since the
//! daemon must not read for somebody what they may not, and its code goes with the experiment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wbd_linux::gate::{Identity, Program};
use xxhash_rust::xxh3::Xxh3;

use crate::launch::helper::{self, Bounds};
use crate::launch::process::MeansError;
use crate::launch::slot::Slot;
use crate::targets::runners::Runner;

/// Mode of a workload's code.
const FOR_ALL: u32 = 0o444;
/// Mode of a caller's own code.
const FOR_CALLER: u32 = 0o400;
/// Bytes read at once of what is hashed.
const CHUNK_BYTES: usize = 256 * 1024;
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
            .join(format!("{}.code", key(compiler.runner, module, &processor()?)?));
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

/// The hash of all that the code depends on.
fn key(runner: &Runner, module: &Path, processor: &str) -> Result<String, PrecompileError> {
    let mut hash = Xxh3::new();
    for words in [&runner.version, processor] {
        absorb(&mut hash, words.len() as u64, words.as_bytes()).map_err(file(&runner.path))?;
    }
    let files = [module, &runner.path].into_iter();
    for path in files.chain(runner.libraries.iter().map(PathBuf::as_path)) {
        let opened = File::open(path).and_then(|opened| Ok((opened.metadata()?.len(), opened)));
        let absorbed = opened.and_then(|(length, opened)| absorb(&mut hash, length, opened));
        absorbed.map_err(file(path))?;
    }
    Ok(format!("{:032x}", hash.digest128()))
}

/// The length goes first, so that no end of one part can pass for the beginning of the next.
fn absorb(hash: &mut Xxh3, length: u64, mut part: impl Read) -> io::Result<()> {
    hash.update(&length.to_le_bytes());
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match part.read(&mut chunk)? {
            0 => return Ok(()),
            read => hash.update(&chunk[..read]),
        }
    }
}

/// What this machine's first processor says it is and can do.
fn processor() -> Result<String, PrecompileError> {
    let path = Path::new("/proc/cpuinfo");
    let text = fs::read_to_string(path).map_err(file(path))?;
    Ok(features(&text))
}

/// The lines of the first processor in `/proc/cpuinfo` that do not change from one moment to the next.
fn features(cpuinfo: &str) -> String {
    const LASTING: [&str; 5] = ["vendor_id", "cpu family", "model", "model name", "flags"];
    let first = cpuinfo.lines().take_while(|line| !line.is_empty());
    let lasting = first.filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        LASTING.contains(&name.trim())
    });
    lasting.collect::<Vec<_>>().join("\n")
}

/// Who compiles, where, and for how long at most.
pub(crate) struct Compiler<'a> {
    /// The runner of the engine.
    pub(crate) runner: &'a Runner,
    /// Whose rights it runs with.
    pub(crate) caller: &'a Identity,
    /// The cgroup it runs in.
    pub(crate) slot: &'a mut Slot,
    /// Most bytes of code.
    pub(crate) most_bytes: u64,
}

impl Compiler<'_> {
    fn compile(&mut self, module: &Path, to: &Path, mode: u32) -> Result<(), PrecompileError> {
        let output = create(to, self.caller, mode)?;
        let [runner, module] = [self.runner.path.as_path(), module].map(|path| path.display().to_string());
        let args = [runner.clone(), "compile".to_owned(), module];
        let program = Program::new(&runner, &args, &[], "/", self.caller.clone());
        let program = program.map_err(|error| PrecompileError::Refused(error.to_string()))?;
        let bounds = Bounds {
            time: TIME_LIMIT,
            output_bytes: self.most_bytes,
        };
        let compiled = helper::run(self.slot, &program, &output, bounds)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A runner with a library, and a module, in a folder of their own.
    struct Parts {
        folder: tempfile::TempDir,
        runner: Runner,
    }

    impl Parts {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            for name in ["runner", "lib.so", "module"] {
                fs::write(at(name), name).unwrap();
            }
            let runner = Runner {
                path: at("runner"),
                version: "engine 1.0".into(),
                libraries: vec![at("lib.so")],
                bytes: 0,
            };
            Self { folder, runner }
        }

        fn key(&self, processor: &str) -> String {
            key(&self.runner, &self.folder.path().join("module"), processor).unwrap()
        }

        fn write(&self, name: &str, content: &str) {
            fs::write(self.folder.path().join(name), content).unwrap();
        }
    }

    #[test]
    fn code_is_made_anew_when_anything_it_depends_on_changes() {
        let mut parts = Parts::new();
        let mut keys = vec![parts.key("cpu")];
        assert_eq!(parts.key("cpu"), keys[0], "nothing changed");
        for name in ["runner", "lib.so", "module"] {
            parts.write(name, "other");
            keys.push(parts.key("cpu"));
        }
        parts.runner.version = "engine 1.1".into();
        keys.push(parts.key("cpu"));
        keys.push(parts.key("cpu avx512"));
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "{keys:?}");
    }

    #[test]
    fn what_moves_from_one_part_into_the_next_is_a_change() {
        let parts = Parts::new();
        let before = parts.key("cpu");
        parts.write("module", "moduler");
        parts.write("runner", "unner");
        assert_ne!(parts.key("cpu"), before);
    }

    #[test]
    fn a_library_that_is_gone_is_no_key_at_all() {
        let parts = Parts::new();
        fs::remove_file(parts.folder.path().join("lib.so")).unwrap();
        let module = parts.folder.path().join("module");
        let error = key(&parts.runner, &module, "cpu").unwrap_err();
        assert!(error.to_string().contains("lib.so"), "{error}");
    }

    #[test]
    fn a_processor_is_its_features_and_not_its_frequency() {
        let text = |mhz: &str, flags: &str| {
            format!(
                "processor\t: 0\nvendor_id\t: X\nmodel\t\t: 6\ncpu MHz\t\t: {mhz}\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: none\n"
            )
        };
        let one = features(&text("2000.1", "sse2 avx2"));
        assert_eq!(one, "vendor_id\t: X\nmodel\t\t: 6\nflags\t\t: sse2 avx2");
        assert_eq!(one, features(&text("3100.7", "sse2 avx2")));
        assert_ne!(one, features(&text("2000.1", "sse2")));
        assert!(processor().unwrap().contains("flags"), "this machine's own");
    }
}
