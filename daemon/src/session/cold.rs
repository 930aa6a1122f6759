//! A cold page cache: before each run the target's own files are dropped from it, and nobody else's.
//!
//! Its own are the program, a script's interpreter, the dynamic loader and the libraries it lists, the module and the
//! code made of it. They are opened with the caller's rights. Directories and the files' names stay in the kernel's
//! memory, and so do pages that others have mapped, the C library's above all: what stays is told.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use wbd_linux::gate::Program;
use wbd_linux::image::{self, DEEPEST, RunBy};
use wbd_linux::{caller_file, page_cache};
use wbd_model::host::Unavailable;

use super::plan::{Means, Plan, PlannedCell};
use crate::launch::libraries;
use crate::launch::slot::Slot;
use crate::targets::precompiled::Precompiled;

/// The files of one cell.
pub(super) struct ColdFiles {
    files: Vec<(String, File)>,
    /// What the cell's document says of them.
    pub(super) about: String,
}

impl ColdFiles {
    /// Finds a cell's files and drops them once, to see which can be.
    pub(super) fn of(
        slot: &mut Slot,
        plan: &Plan,
        cell: &PlannedCell,
        (program, code): (&Program, Option<&Precompiled>),
    ) -> Result<Self, Unavailable> {
        let mut paths = program_files(slot, plan, program)?;
        match &cell.means {
            Ok(Means::Runner { module, .. }) => {
                paths.push(code.map_or(module.clone(), |code| code.path.clone()));
            }
            Ok(Means::Engine { module, .. }) => paths.push(module.clone()),
            _ => {}
        }
        let mut this = Self {
            files: open_all(plan, &paths)?,
            about: String::new(),
        };
        let stay = this.drop_all();
        this.about = this.sentence(&stay);
        Ok(this)
    }

    /// Drops them all; the names of those of which something stays.
    pub(super) fn drop_all(&self) -> Vec<&str> {
        let stays = |(_, file): &&(String, File)| {
            let dropped = page_cache::drop_file(file);
            dropped.is_err() || page_cache::resident_bytes(file).map_or(true, |bytes| bytes > 0)
        };
        let stay = self.files.iter().filter(stays);
        stay.map(|(name, _)| name.as_str()).collect()
    }

    fn sentence(&self, stay: &[&str]) -> String {
        let gone = self
            .files
            .iter()
            .filter(|(name, _)| !stay.contains(&name.as_str()));
        let sizes = gone.map(|(_, file)| file.metadata().map_or(0, |found| found.len()));
        let (count, bytes) = sizes.fold((0, 0), |(count, sum), size| (count + 1, sum + size));
        let files = if count == 1 { "file" } else { "files" };
        let mut text = format!("page cache cold: {count} {files}, {bytes} bytes dropped by posix_fadvise");
        if !stay.is_empty() {
            text.push_str(&format!(" ({})", staying(stay)));
        }
        text
    }
}

/// What is said of files that could not be dropped.
pub(super) fn staying(names: &[&str]) -> String {
    format!(
        "in use by others and still in the page cache, at least in part: {}",
        names.join(" ")
    )
}

fn program_files(slot: &mut Slot, plan: &Plan, program: &Program) -> Result<Vec<PathBuf>, Unavailable> {
    let mut path = PathBuf::from(OsStr::from_bytes(program.path().to_bytes()));
    let mut paths = Vec::new();
    for _ in 0..DEEPEST {
        paths.push(path.clone());
        let run_by = image::run_by(&open(plan, &path)?).map_err(|error| unreadable(&path, &error))?;
        match run_by {
            RunBy::Itself => break,
            RunBy::Interpreter(interpreter) => path = interpreter,
            RunBy::Loader(loader) => {
                paths.extend(linked(slot, plan, &loader, &path)?);
                paths.push(loader);
                break;
            }
        }
    }
    Ok(paths)
}

fn linked(slot: &mut Slot, plan: &Plan, loader: &Path, program: &Path) -> Result<Vec<PathBuf>, Unavailable> {
    let [loader, program] = [loader, program].map(|path| path.to_string_lossy().into_owned());
    let args = [loader.clone(), "--list".to_owned(), program.clone()];
    let cwd = plan.request.cwd.to_string_lossy();
    let is_command = plan.request.wasm.is_none() && !plan.request.command.is_empty();
    let (env, cwd) = if is_command {
        (&plan.request.env[..], &*cwd)
    } else {
        (&[][..], "/")
    };
    let unlisted = |why: String| Unavailable {
        why: format!("the libraries of {program} cannot be listed, to drop them from the page cache: {why}"),
        mend: "measure it with --page-cache warm".to_owned(),
    };
    let listing = Program::new(&loader, &args, env, cwd, plan.caller.clone());
    let listing = listing.map_err(|error| unlisted(error.to_string()))?;
    libraries::list(slot, &listing)
        .map_err(|error| unlisted(error.to_string()))?
        .map_err(unlisted)
}

/// Each file once, by whatever name.
fn open_all(plan: &Plan, paths: &[PathBuf]) -> Result<Vec<(String, File)>, Unavailable> {
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for path in paths {
        let file = open(plan, path)?;
        let found = file.metadata().map_err(|error| unreadable(path, &error))?;
        if seen.insert((found.dev(), found.ino())) {
            let name = path.file_name().unwrap_or_default();
            files.push((name.to_string_lossy().into_owned(), file));
        }
    }
    Ok(files)
}

fn open(plan: &Plan, path: &Path) -> Result<File, Unavailable> {
    caller_file::open(path, &plan.caller).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Unavailable {
    Unavailable {
        why: format!(
            "{} cannot be dropped from the page cache: {error}",
            path.display()
        ),
        mend: "make it readable, or measure with --page-cache warm".to_owned(),
    }
}

/// Of a container: its files are the engine's.
pub(super) fn contained() -> Unavailable {
    Unavailable {
        why: "a container's files are the engine's own, and are not dropped from the page cache".to_owned(),
        mend: "measure containers with --page-cache warm".to_owned(),
    }
}
