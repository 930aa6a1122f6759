//! `cargo xtask build`: programs, runners and workloads, into one folder that can be installed as it is.

use anyhow::Result;
use clap::Args;

use crate::cargo::{Job, executable, packages};
use crate::compiler::{Form, Program};
use crate::cross;
use crate::dist::{install, make_dir};
use crate::platform::Platform;
use crate::progress;
use crate::runners::Runners;
use crate::tree::Tree;
use crate::workloads;

/// What to build, and for which machine.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Build for arm64 instead of for this machine; unless engines are named, the runners of those made of Rust alone
    #[arg(long)]
    arm64: bool,
}

/// What to build.
#[derive(Args, Default)]
pub(crate) struct Options {
    /// Build the runner of this engine and of no other, by its folder below `runners`; may be given several times
    #[arg(long = "engine", value_name = "ENGINE")]
    pub engines: Vec<String>,
}

impl Options {
    /// Wasmtime's runner alone: what the demonstration and most figures need.
    pub(crate) fn wasmtime() -> Self {
        Self {
            engines: vec!["wasmtime".to_owned()],
        }
    }
}

/// What was built.
pub(crate) struct Built {
    /// What for, and so where.
    pub platform: Platform,
    /// The runners in it, and those that are not.
    pub runners: Runners,
}

/// Builds for the machine that was asked for.
pub(crate) fn task(tree: &Tree, arguments: &Arguments) -> Result<()> {
    if !arguments.arm64 {
        return run(tree, &arguments.options).map(drop);
    }
    let named = &arguments.options.engines;
    let engines = if named.is_empty() {
        cross::ENGINES.map(str::to_owned).into()
    } else {
        named.clone()
    };
    run_for(tree, cross::arm64(tree)?, &Options { engines }).map(drop)
}

/// Builds all that is not up to date, for this machine.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<Built> {
    run_for(tree, Platform::host(tree)?, options)
}

/// Builds all that is not up to date.
pub(crate) fn run_for(tree: &Tree, platform: Platform, options: &Options) -> Result<Built> {
    build_programs(tree, &platform)?;
    workloads::build(tree, &platform)?;
    build_clock(tree, &platform)?;
    let runners = Runners::build(tree, &platform, &options.engines)?;
    progress::line(format!("built into {}", platform.dist.root.display()));
    runners.report_costs();
    runners.report();
    Ok(Built { platform, runners })
}

/// What the daemon calibrates itself with.
fn build_clock(tree: &Tree, platform: &Platform) -> Result<()> {
    let runners = platform.dist.runners();
    make_dir(&runners)?;
    platform.compiler.make(&Program {
        source: tree.root.join("tests/programs/freestanding/clock.c"),
        libraries: Vec::new(),
        form: Form::Freestanding,
        output: runners.join("wbd-clock"),
    })
}

fn build_programs(tree: &Tree, platform: &Platform) -> Result<()> {
    let names = ["wbd", "wbctl"];
    let title = "wbd and wbctl";
    let job = Job {
        title,
        command: &["build", "--release"],
        packages: &packages(&names),
        edges: "normal,build",
        environment: &platform.environment,
    };
    let made = job.run(&tree.root)?;
    names
        .iter()
        .try_for_each(|name| install(executable(&made, name)?, &platform.dist.bin()))
}
