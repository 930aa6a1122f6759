//! The layout of a built wbd, the same below `/usr/local` as below the build directory.
//!
//! The daemon finds its runners and workloads relative to its own executable, so the whole folder can be moved.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder everything built is put into.
pub(crate) struct Dist {
    /// Its root.
    pub root: PathBuf,
}

impl Dist {
    /// The one in a folder of the build directory.
    pub(crate) fn below(folder: &Path) -> Self {
        Self {
            root: folder.join("dist"),
        }
    }

    /// The programs people start.
    pub(crate) fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The programs only the daemon starts.
    pub(crate) fn runners(&self) -> PathBuf {
        self.root.join("lib/wbd")
    }

    /// One folder for each workload.
    pub(crate) fn workloads(&self) -> PathBuf {
        self.root.join("share/wbd/workloads")
    }

    /// The programs which test the tool; no part of an installation.
    pub(crate) fn tests(&self) -> PathBuf {
        self.root.join("tests")
    }
}

/// Makes a folder and those above it.
pub(crate) fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))
}

/// Copies a file into `dir` under its own name unless the same is there already.
///
/// The new file replaces the old one at once: a program which is running keeps its own.
pub(crate) fn install(file: &Path, dir: &Path) -> Result<()> {
    let name = file
        .file_name()
        .with_context(|| format!("{} is not a file", file.display()))?;
    let target = dir.join(name);
    let new = read(file)?;
    if fs::read(&target).is_ok_and(|old| old == new) {
        return Ok(());
    }
    make_dir(dir)?;
    let fresh = target.with_extension("new");
    fs::copy(file, &fresh)
        .and_then(|_| fs::rename(&fresh, &target))
        .with_context(|| format!("cannot copy {} to {}", file.display(), target.display()))
}

/// Reads a whole file.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The entries of a folder, sorted.
pub(crate) fn list(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> =
        entries.with_context(|| format!("cannot list the folder {}", dir.display()))?;
    paths.sort();
    Ok(paths)
}

/// Removes a file or folder, which may be gone already.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (source, bin) = (dir.path().join("wbd"), dir.path().join("bin"));
        fs::write(&source, "one").unwrap();
        install(&source, &bin).unwrap();
        let modified = || fs::metadata(bin.join("wbd")).unwrap().modified().unwrap();
        let first = modified();
        install(&source, &bin).unwrap();
        assert_eq!(modified(), first);
        fs::write(&source, "two").unwrap();
        install(&source, &bin).unwrap();
        assert_eq!(read(&bin.join("wbd")).unwrap(), b"two");
        assert_eq!(list(&bin).unwrap(), [bin.join("wbd")]);
    }
}
