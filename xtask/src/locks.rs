//! `cargo xtask locks`: the lock files of workspaces of their own, after the root's.
//!
//! Wasmer is compiled once for all its runners as long as both files resolve it alike, down to which of two versions a
//! package depends on; and what is fuzzed is what is built. Cargo keeps to what a lock file says where it can: so it is
//! given the root's, with what makes the other a workspace of its own left as it is locked, and drops what is not needed
//! itself.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::cargo;
use crate::progress;
use crate::shell;
use crate::tree::Tree;

/// A workspace of its own.
struct Follower {
    folder: &'static str,
    /// Beginnings of the names that may be locked otherwise there.
    own: &'static [&'static str],
}

const FOLLOWERS: [Follower; 2] = [
    Follower {
        folder: "runners/wasmer-cranelift",
        own: &[
            "cranelift-",
            "wasmtime-internal-core",
            "wasmer-compiler-cranelift",
            "wbd-runner-wasmer-cranelift",
        ],
    },
    Follower {
        folder: "fuzz",
        own: &["libfuzzer-sys", "wbd-fuzz"],
    },
];
const FILE: &str = "Cargo.lock";
/// What every package in a lock file begins with.
const PACKAGE: &str = "[[package]]\n";

/// Writes them.
pub(crate) fn run(tree: &Tree) -> Result<()> {
    FOLLOWERS.iter().try_for_each(|follower| follow(tree, follower))
}

fn follow(tree: &Tree, follower: &Follower) -> Result<()> {
    let folder = tree.root.join(follower.folder);
    let merged = merge(&read(&tree.root)?, &read(&folder)?, follower.own);
    let path = folder.join(FILE);
    fs::write(&path, merged).with_context(|| format!("cannot write {}", path.display()))?;
    let mut resolve = cargo::command();
    resolve
        .current_dir(&folder)
        .args(["metadata", "--format-version=1"]);
    shell::run(resolve.stdout(Stdio::null()))?;
    progress::line(format!("{} follows the root's", path.display()));
    Ok(())
}

fn read(folder: &Path) -> Result<String> {
    let path = folder.join(FILE);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The root's packages but those of the follower's own kind, and these of the follower's.
fn merge(root: &str, follower: &str, own: &[&str]) -> String {
    let mut parts = root.split(PACKAGE);
    let head = parts.next().unwrap_or_default();
    let packages = parts.filter(|package| !is_own(package, own));
    let kept = follower.split(PACKAGE).skip(1);
    let kept = kept.filter(|package| is_own(package, own));
    let all = packages
        .chain(kept)
        .map(|package| format!("{PACKAGE}{}\n\n", package.trim_end()));
    head.to_owned() + &all.collect::<String>()
}

fn is_own(package: &str, own: &[&str]) -> bool {
    let name = package.strip_prefix("name = \"").unwrap_or_default();
    own.iter().any(|own| name.starts_with(own))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// A name and a version.
    type Package = (String, String);

    /// A lock file's packages, each with what it depends on.
    fn packages(lock: &str) -> BTreeMap<Package, BTreeSet<Package>> {
        let lock: toml::Table = lock.parse().expect("a lock file");
        let entries = lock["package"].as_array().expect("packages");
        let names: BTreeSet<Package> = entries.iter().map(package).collect();
        let dependencies = |entry: &toml::Value| {
            let list = entry.get("dependencies").and_then(|list| list.as_array());
            let list = list.into_iter().flatten();
            list.map(|dependency| resolve(text(dependency), &names)).collect()
        };
        entries
            .iter()
            .map(|entry| (package(entry), dependencies(entry)))
            .collect()
    }

    fn package(entry: &toml::Value) -> Package {
        (
            text(&entry["name"]).to_owned(),
            text(&entry["version"]).to_owned(),
        )
    }

    fn text(value: &toml::Value) -> &str {
        value.as_str().expect("a text")
    }

    /// The version is written where the name alone would not tell.
    fn resolve(dependency: &str, names: &BTreeSet<Package>) -> Package {
        let (name, version) = dependency.split_once(' ').unwrap_or((dependency, ""));
        let mut found = names
            .iter()
            .filter(|(other, number)| other == name && number.starts_with(version));
        found.next().expect("what is depended on is locked").clone()
    }

    /// What the follower's lock file has, and the root's has otherwise or not at all.
    fn strange(root: &str, follower: &str, own: &[&str]) -> Vec<String> {
        let (root, follower) = (packages(root), packages(follower));
        let shared = follower
            .into_iter()
            .filter(|((name, _), _)| !own.iter().any(|own| name.starts_with(own)));
        let strange = shared.filter_map(|(package, needs)| match root.get(&package) {
            None => Some(format!("{package:?}, which the root's has not")),
            Some(there) if needs.is_subset(there) => None,
            Some(there) => Some(format!("{package:?} with {:?}", &needs - there)),
        });
        strange.collect()
    }

    #[test]
    fn the_lock_files_agree_but_on_what_is_their_own() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root = read(&checkout).unwrap();
        for Follower { folder, own } in FOLLOWERS {
            let strange = strange(&root, &read(&checkout.join(folder)).unwrap(), own);
            assert!(
                strange.is_empty(),
                "{folder}/Cargo.lock has {}: `cargo xtask locks` makes it follow the root's, commit what it wrote",
                strange.join("; ")
            );
        }
    }

    const ROOT: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n\n[[package]]\nname = \"cranelift-x\"\nversion = \"1.0.8\"\n";
    const FOLLOWER: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"cranelift-x\"\nversion = \"1.0.0\"\n";

    #[test]
    fn what_differs_is_told_and_made_alike_but_for_its_own() {
        assert_eq!(
            strange(ROOT, FOLLOWER, &["cranelift-"]),
            [r#"("a", "1.0.0"), which the root's has not"#]
        );
        let merged = merge(ROOT, FOLLOWER, &["cranelift-"]);
        assert_eq!(strange(ROOT, &merged, &["cranelift-"]), [""; 0]);
        let versions: Vec<_> = packages(&merged).into_keys().collect();
        let expected = [("a", "2.0.0"), ("cranelift-x", "1.0.0")];
        assert_eq!(
            versions,
            expected.map(|(name, version)| (name.to_owned(), version.to_owned()))
        );
    }
}
