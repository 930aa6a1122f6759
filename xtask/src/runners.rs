//! The runners: what each needs beyond its crates, and which cannot be built here.
//!
//! A runner that lacks something is left out, with the reason where the daemon looks for the runner. One whose sources
//! do not compile is an error, though the others are built first.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::cargo::{Job, executable, packages};
use crate::dist::{self, Dist, install, list, make_dir};
use crate::llvm;
use crate::platform::Platform;
use crate::progress;
use crate::tree::Tree;
use crate::wasmedge;

/// What a runner is built and tested with, beyond its crates.
#[derive(Default)]
pub(crate) struct Means {
    /// Variables for cargo.
    pub environment: Vec<(&'static str, OsString)>,
}

/// Why a runner cannot be built here, and what mends it.
#[derive(Debug, Serialize)]
pub(crate) struct Missing {
    /// Why.
    pub why: String,
    /// What to do, with the command.
    pub mend: String,
}

/// What a runner took.
struct Cost {
    package: String,
    /// To compile what of it was not compiled yet; what runners share counts for the first.
    time: Duration,
    /// Of the runner and the libraries that come with it.
    bytes: u64,
}

/// The runners of this checkout.
#[derive(Default)]
pub(crate) struct Runners {
    /// Those that were built, by package.
    pub built: Vec<(String, Means)>,
    /// What they took.
    costs: Vec<Cost>,
    /// Those that were left out.
    pub skipped: Vec<(String, Missing)>,
}

/// Provides what a runner needs: here an engine's libraries are connected with its runner.
fn means(tree: &Tree, dist: &Dist, package: &str) -> Result<Means, Missing> {
    match package {
        "wbd-runner-wasmedge" => wasmedge::provide(tree, dist),
        "wbd-runner-wasmer-cranelift" => Ok(own_workspace(tree)),
        "wbd-runner-wasmer-llvm" => llvm::provide(),
        _ => Ok(Means::default()),
    }
}

/// A workspace of its own builds into the one folder only if it is told to, and has much in common with the others.
fn own_workspace(tree: &Tree) -> Means {
    Means {
        environment: vec![("CARGO_TARGET_DIR", tree.target.clone().into())],
    }
}

impl Runners {
    /// Builds all that can be built, or where engines are named, theirs.
    pub(crate) fn build(tree: &Tree, platform: &Platform, engines: &[String]) -> Result<Self> {
        let dist = &platform.dist;
        let mut runners = Self::default();
        let mut outcome = Ok(());
        for package in chosen(&tree.root, engines)? {
            let begun = Instant::now();
            match means(tree, dist, &package) {
                Ok(mut means) => {
                    means.environment.extend(platform.environment.iter().cloned());
                    let built = build_one(tree, dist, &package, &means);
                    outcome = outcome.and(built.and_then(|()| {
                        runners.costs.push(cost(dist, &package, begun.elapsed())?);
                        Ok(())
                    }));
                    runners.built.push((package, means));
                }
                Err(missing) => {
                    leave_out(dist, &package, &missing)?;
                    runners.skipped.push((package, missing));
                }
            }
        }
        outcome.map(|()| runners)
    }

    /// Says what each took.
    pub(crate) fn report_costs(&self) {
        for Cost { package, time, bytes } in &self.costs {
            let megabytes = *bytes as f64 / 1e6;
            let time = progress::spoken(*time);
            progress::line(format!("{package}: {time} to build, {megabytes:.0} MB installed"));
        }
    }

    /// Says which were left out, and why.
    pub(crate) fn report(&self) {
        for (package, Missing { why, mend }) in &self.skipped {
            progress::line(format!("{package} IS LEFT OUT: {why}; mend: {mend}"));
        }
    }
}

/// Each runner is built on its own: cargo unites the features of what it builds together, and one engine's
/// dependencies would then weigh on another's figures.
fn build_one(tree: &Tree, dist: &Dist, package: &str, means: &Means) -> Result<()> {
    let job = Job {
        title: package,
        command: &["build", "--release"],
        packages: &packages(&[package]),
        edges: "normal,build",
        environment: &means.environment,
    };
    let made = job.run(&folder(&tree.root, package))?;
    install(executable(&made, package)?, &dist.runners())?;
    dist::remove(&note(dist, package))
}

fn cost(dist: &Dist, package: &str, time: Duration) -> Result<Cost> {
    let engine = package.strip_prefix(PREFIX).unwrap_or(package);
    let installed = [dist.runners().join(package), dist.runners().join(engine)];
    let bytes = installed.iter().map(|path| size(path)).sum::<Result<u64>>()?;
    Ok(Cost {
        package: package.to_owned(),
        time,
        bytes,
    })
}

/// Bytes of a file, or of all files in a folder; a link is none, and neither is what is not there.
fn size(path: &Path) -> Result<u64> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => list(path)?.iter().map(|entry| size(entry)).sum(),
        Ok(found) if found.is_file() => Ok(found.len()),
        _ => Ok(0),
    }
}

/// An older runner goes: nobody can say any more what it is made of.
fn leave_out(dist: &Dist, package: &str, missing: &Missing) -> Result<()> {
    dist::remove(&dist.runners().join(package))?;
    make_dir(&dist.runners())?;
    let note = note(dist, package);
    let text = toml::to_string(missing).context("a reason is text")?;
    fs::write(&note, text).with_context(|| format!("cannot write {}", note.display()))
}

/// Where the daemon finds why a runner is not there.
fn note(dist: &Dist, package: &str) -> PathBuf {
    dist.runners().join(format!("{package}.missing"))
}

const PREFIX: &str = "wbd-runner-";

/// Where a runner's package is. Cargo runs there, since not every one belongs to the root's workspace.
pub(crate) fn folder(root: &Path, package: &str) -> PathBuf {
    let engine = package.strip_prefix(PREFIX).unwrap_or(package);
    root.join("runners").join(engine)
}

fn chosen(root: &Path, engines: &[String]) -> Result<Vec<String>> {
    let all = all(root)?;
    if engines.is_empty() {
        return Ok(all);
    }
    let package = |engine: &String| {
        let package = format!("{PREFIX}{engine}");
        ensure!(
            all.contains(&package),
            "no engine is called `{engine}`; there are: {}",
            all.join(", ")
        );
        Ok(package)
    };
    engines.iter().map(package).collect()
}

/// The packages below `runners`: `runners/ENGINE` holds `wbd-runner-ENGINE`.
fn all(root: &Path) -> Result<Vec<String>> {
    let folders = list(&root.join("runners"))?;
    let engines = folders.iter().filter(|path| path.join("Cargo.toml").is_file());
    Ok(engines
        .filter_map(|path| Some(format!("{PREFIX}{}", path.file_name()?.to_str()?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runners_size_is_its_own_and_its_librarys_once() {
        let dir = tempfile::tempdir().unwrap();
        let dist = Dist {
            root: dir.path().to_owned(),
        };
        let libraries = dist.runners().join("x/lib");
        make_dir(&libraries).unwrap();
        fs::write(dist.runners().join("wbd-runner-x"), [0; 10]).unwrap();
        fs::write(libraries.join("libx.so.1"), [0; 7]).unwrap();
        std::os::unix::fs::symlink("libx.so.1", libraries.join("libx.so")).unwrap();
        let cost = cost(&dist, "wbd-runner-x", Duration::ZERO).unwrap();
        assert_eq!(cost.bytes, 17);
    }

    #[test]
    fn what_is_left_out_leaves_a_note_and_no_runner() {
        let dir = tempfile::tempdir().unwrap();
        let dist = Dist {
            root: dir.path().to_owned(),
        };
        make_dir(&dist.runners()).unwrap();
        fs::write(dist.runners().join("wbd-runner-x"), "of an earlier build").unwrap();
        let missing = Missing {
            why: "no \"x\"".to_owned(),
            mend: "get x".to_owned(),
        };
        leave_out(&dist, "wbd-runner-x", &missing).unwrap();
        assert_eq!(list(&dist.runners()).unwrap(), [note(&dist, "wbd-runner-x")]);
        let note: toml::Table =
            toml::from_str(&fs::read_to_string(note(&dist, "wbd-runner-x")).unwrap()).unwrap();
        assert_eq!(note["why"].as_str(), Some("no \"x\""));
        assert_eq!(note["mend"].as_str(), Some("get x"));
    }
}
