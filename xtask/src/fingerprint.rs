//! Whether the committed kernel objects, their manifest and their sources belong together.
//!
//! Stable Rust cannot rebuild the objects, but it can tell that somebody changed a source and forgot to.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::dist::{list, read};

/// A committed object, and the program it is built as.
pub(crate) struct Object {
    /// Its file.
    pub file: &'static str,
    /// The binary of the workspace `ebpf`.
    pub binary: &'static str,
}

/// The committed objects: what runs are measured with, and what they are diagnosed with.
pub(crate) const OBJECTS: [Object; 2] = [
    Object {
        file: "ebpf/wbd.bpf.o",
        binary: "wbd-bpf",
    },
    Object {
        file: "ebpf/diagnose.bpf.o",
        binary: "wbd-diagnose",
    },
];
/// What is recorded of them.
pub(crate) const MANIFEST: &str = "ebpf/manifest.toml";
/// The files they are made of.
const FILES: [&str; 2] = ["ebpf/Cargo.toml", "ebpf/Cargo.lock"];
/// The folders of Rust sources they are made of.
const FOLDERS: [&str; 2] = ["ebpf/src", "crates/abi/src"];

/// Where the committed objects come from.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// SHA-256 of the sources, see [`sources`].
    pub sources: String,
    /// The compiler that made them.
    pub rustc: String,
    /// The linker that made them.
    pub bpf_linker: String,
    /// SHA-256 of each object, by its file.
    pub objects: BTreeMap<String, String>,
}

/// A SHA-256, written in hexadecimal.
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// The digest of several byte strings, each preceded by its length so that none can pass into the next.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The plain SHA-256 of a file's content, as `sha256sum` prints it.
    pub(crate) fn of_content(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The digest of all the objects' sources below `root`: path and content of each, sorted by path.
pub(crate) fn sources(root: &Path) -> Result<Digest> {
    let mut paths: Vec<PathBuf> = FILES.iter().map(|file| root.join(file)).collect();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut paths)?;
    }
    paths.sort();
    let mut parts = Vec::new();
    for path in &paths {
        let name = path.strip_prefix(root).context("a source lies in the checkout")?;
        parts.push(name.as_os_str().as_encoded_bytes().to_vec());
        parts.push(read(path)?);
    }
    Ok(Digest::of(parts.iter().map(Vec::as_slice)))
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for path in list(folder)? {
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

/// Reads the committed manifest.
pub(crate) fn manifest(root: &Path) -> Result<Manifest> {
    let path = root.join(MANIFEST);
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    toml::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn root() -> PathBuf {
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests")).join("..")
    }

    #[test]
    fn the_committed_objects_are_made_of_the_committed_sources() {
        let recorded = manifest(&root()).unwrap().sources;
        let mend = "the kernel side's sources have changed: run `cargo xtask ebpf` and commit what it writes";
        assert_eq!(sources(&root()).unwrap().to_string(), recorded, "{mend}");
    }

    #[test]
    fn the_committed_objects_are_those_recorded() {
        let recorded = manifest(&root()).unwrap().objects;
        let mend = "the objects and their manifest are not of one build: run `cargo xtask ebpf`";
        let found = OBJECTS.map(|object| {
            let content = read(&root().join(object.file)).unwrap();
            (object.file.to_owned(), Digest::of_content(&content).to_string())
        });
        assert_eq!(BTreeMap::from(found), recorded, "{mend}");
    }

    #[test]
    fn content_is_hashed_as_everyone_does() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-4's own example
        assert_eq!(Digest::of_content(b"abc").to_string(), known);
    }

    #[test]
    fn the_border_between_parts_counts() {
        let digest = |parts: [&[u8]; 2]| Digest::of(parts).to_string();
        assert_ne!(digest([b"ab", b"c"]), digest([b"a", b"bc"]));
    }

    #[test]
    fn every_source_counts_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for folder in ["ebpf/src/deep", "crates/abi/src"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let write = |file: &str, text: &str| fs::write(root.join(file), text).unwrap();
        [
            "ebpf/Cargo.toml",
            "ebpf/Cargo.lock",
            "ebpf/src/main.rs",
            "ebpf/src/deep/a.rs",
            "crates/abi/src/lib.rs",
        ]
        .iter()
        .for_each(|file| write(file, "one"));
        let digest = || sources(root).unwrap().to_string();
        let first = digest();
        write("ebpf/src/notes.txt", "not a source");
        assert_eq!(digest(), first);
        write("ebpf/src/deep/a.rs", "two");
        assert_ne!(digest(), first);
    }
}
