//! `cargo xtask demo`: from a fresh machine to the main job's tables.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::build;
use crate::dist::Dist;
use crate::docker;
use crate::service::Service;
use crate::setup;
use crate::shell;
use crate::steps::Steps;
use crate::test::must_be_root;
use crate::tree::Tree;
use crate::workloads;

const TARGETS: [&str; 4] = ["native", "wasmtime-jit", "wasmtime-aot", "docker"];

/// How thorough the demonstration is.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs of each workload on each target
    #[arg(long, default_value_t = 5)]
    runs: u32,
}

/// Sets up, builds, starts what is needed, measures, prints, and stops what it started.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<()> {
    must_be_root("demo")?;
    let mut steps = Steps::default();
    let outcome = measure(tree, options, &mut steps);
    steps.report();
    outcome
}

fn measure(tree: &Tree, options: &Options, steps: &mut Steps) -> Result<()> {
    steps.run("setup", || {
        setup::run(&setup::Options {
            docker: true,
            peers: false,
            without_llvm: true,
        })
    })?;
    let dist = steps.run("build", || build::run(tree, &engine()))?.platform.dist;
    let _docker = steps.run("start Docker", || docker::ensure(tree))?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let socket = scratch.path().join("wbd.sock");
    let log = tree.target.join("demo/wbd.log");
    let _wbd = steps.run("start wbd", || {
        start_wbd(&dist, &socket, &scratch.path().join("state"), &log)
    })?;
    let ask = |arguments: &[&str]| shell::run(wbctl(&dist, &socket).args(arguments));
    let runs = options.runs.to_string();
    let names = workloads::names(tree)?;
    let targets = TARGETS.iter().flat_map(|target| ["-t", target]);
    let cells = targets
        .clone()
        .chain(names.iter().flat_map(|name| ["-w", name.as_str()]));
    let job: Vec<&str> = ["run"].into_iter().chain(cells).chain(["-n", &runs]).collect();
    steps.run("measure everything", || ask(&job))?;
    let start_up: Vec<&str> = ["run"]
        .into_iter()
        .chain(targets)
        .chain(["-w", "empty", "-n", "20"])
        .collect();
    steps.run("measure start-up", || ask(&start_up))?;
    steps.run("histogram", || ask(&["hist", "latest", "--metric", "startup"]))?;
    steps.run("timeline", || ask(&["timeline", "latest"]))
}

/// What the demonstration needs; `cargo xtask build` takes longer, and builds them all.
fn engine() -> build::Options {
    build::Options {
        engines: vec!["wasmtime".to_owned()],
    }
}

/// Starts a daemon of the built programs, and waits until it answers.
pub(crate) fn start_wbd(dist: &Dist, socket: &Path, state: &Path, log: &Path) -> Result<Service> {
    let mut wbd = Command::new(dist.bin().join("wbd"));
    wbd.arg("--socket").arg(socket).arg("--state").arg(state);
    Service::start("wbd", &mut wbd, log, || UnixStream::connect(socket).is_ok())
}

/// The client of that daemon.
pub(crate) fn wbctl(dist: &Dist, socket: &Path) -> Command {
    let mut wbctl = Command::new(dist.bin().join("wbctl"));
    wbctl.arg("--socket").arg(socket);
    wbctl
}
