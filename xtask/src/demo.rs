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
    #[arg(long, default_value_t = 10)]
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
    steps.run("setup", || setup::run(&setup::Options { docker: true }))?;
    let dist = steps.run("build", || build::run(tree))?;
    let _docker = steps.run("start Docker", || docker::ensure(tree))?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let socket = scratch.path().join("wbd.sock");
    let _wbd = steps.run("start wbd", || {
        start_wbd(tree, &dist, &socket, &scratch.path().join("state"))
    })?;
    let ask = |arguments: &[&str]| shell::run(wbctl(&dist, &socket).args(arguments));
    let runs = options.runs.to_string();
    let names = workloads::names(tree)?;
    let cells = TARGETS.iter().flat_map(|target| ["-t", target]);
    let cells = cells.chain(names.iter().flat_map(|name| ["-w", name.as_str()]));
    let job: Vec<&str> = ["run"].into_iter().chain(cells).chain(["-n", &runs]).collect();
    steps.run("measure", || ask(&job))?;
    steps.run("histogram", || ask(&["hist", "latest", "--metric", "startup"]))?;
    steps.run("timeline", || ask(&["timeline", "latest"]))
}

fn start_wbd(tree: &Tree, dist: &Dist, socket: &Path, state: &Path) -> Result<Service> {
    let mut wbd = Command::new(dist.bin().join("wbd"));
    wbd.arg("--socket").arg(socket).arg("--state").arg(state);
    let log = tree.target.join("demo/wbd.log");
    Service::start("wbd", &mut wbd, &log, || UnixStream::connect(socket).is_ok())
}

fn wbctl(dist: &Dist, socket: &Path) -> Command {
    let mut wbctl = Command::new(dist.bin().join("wbctl"));
    wbctl.arg("--socket").arg(socket);
    wbctl
}
