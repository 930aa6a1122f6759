//! `cargo xtask build`: programs, runners and workloads, into one folder that can be installed as it is.

use std::path::Path;

use anyhow::Result;

use crate::cargo::{Job, executable, packages};
use crate::compiler::Compiler;
use crate::dist::{Dist, install, list};
use crate::progress;
use crate::tree::Tree;
use crate::workloads;

const RELEASE: &[&str] = &["build", "--release"];

/// Builds all that is not up to date.
pub(crate) fn run(tree: &Tree) -> Result<Dist> {
    let dist = Dist::of(tree);
    build_programs(tree, &dist)?;
    for runner in runners(&tree.root)? {
        build_runner(tree, &dist, &runner)?;
    }
    workloads::build(tree, &dist, &Compiler::find(&tree.target)?)?;
    progress::line(format!("built into {}", dist.root.display()));
    Ok(dist)
}

fn build_programs(tree: &Tree, dist: &Dist) -> Result<()> {
    let names = ["wbd", "wbctl"];
    let title = "wbd and wbctl";
    let job = Job {
        title,
        command: RELEASE,
        packages: &packages(&names),
        edges: "normal,build",
    };
    let made = job.run(&tree.root)?;
    names
        .iter()
        .try_for_each(|name| install(executable(&made, name)?, &dist.bin()))
}

/// Each runner is built on its own: cargo unites the features of what it builds together, and one engine's
/// dependencies would then weigh on another's figures.
fn build_runner(tree: &Tree, dist: &Dist, package: &str) -> Result<()> {
    let job = Job {
        title: package,
        command: RELEASE,
        packages: &packages(&[package]),
        edges: "normal,build",
    };
    let made = job.run(&tree.root)?;
    install(executable(&made, package)?, &dist.runners())
}

/// The packages below `runners`: `runners/ENGINE` holds `wbd-runner-ENGINE`.
fn runners(root: &Path) -> Result<Vec<String>> {
    let folders = list(&root.join("runners"))?;
    let engines = folders.iter().filter(|path| path.join("Cargo.toml").is_file());
    Ok(engines
        .filter_map(|path| Some(format!("wbd-runner-{}", path.file_name()?.to_str()?)))
        .collect())
}
