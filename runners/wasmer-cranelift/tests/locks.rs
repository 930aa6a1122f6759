//! Two lock files, and Wasmer compiled once: as long as both resolve it alike.

use std::collections::{BTreeMap, BTreeSet};

/// What makes this package a workspace of its own.
const OWN: [&str; 4] = [
    "cranelift-",
    "wasmtime-internal-core",
    "wasmer-compiler-cranelift",
    "wbd-runner-wasmer-cranelift",
];

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

#[test]
fn the_lock_files_agree_but_on_cranelift() {
    let whole = packages(include_str!("../../../Cargo.lock"));
    let here = packages(include_str!("../Cargo.lock"));
    for (package, dependencies) in here {
        if OWN.iter().any(|own| package.0.starts_with(own)) {
            continue;
        }
        let there = whole.get(&package);
        let there = there.unwrap_or_else(|| panic!("only this package's lock file has {package:?}"));
        let strange: Vec<_> = dependencies.difference(there).collect();
        assert!(strange.is_empty(), "only here {package:?} depends on {strange:?}");
    }
}
