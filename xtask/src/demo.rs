//! `cargo xtask demo`: from a fresh machine to the main job's tables.

use anyhow::Result;
use clap::Args;

use crate::build;
use crate::daemon::Daemon;
use crate::docker;
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
    let dist = steps
        .run("build", || build::run(tree, &build::Options::wasmtime()))?
        .platform
        .dist;
    let _docker = steps.run("start Docker", || docker::ensure(tree))?;
    let wbd = steps.run("start wbd", || Daemon::start(tree, dist, "demo"))?;
    let ask = |arguments: &[&str]| shell::run(wbd.wbctl().args(arguments));
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
