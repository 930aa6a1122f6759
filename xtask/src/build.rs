//! `cargo xtask build`: programs, runners and workloads, into one folder that can be installed as it is.

use anyhow::Result;
use clap::Args;

use crate::cargo::{Job, executable, packages};
use crate::compiler::{Compiler, Form, Program};
use crate::dist::{Dist, install, make_dir};
use crate::progress;
use crate::runners::Runners;
use crate::tree::Tree;
use crate::workloads;

/// What to build.
#[derive(Args, Default)]
pub(crate) struct Options {
    /// Build the runner of this engine and of no other, by its folder below `runners`; may be given several times
    #[arg(long = "engine", value_name = "ENGINE")]
    pub engines: Vec<String>,
}

/// What was built.
pub(crate) struct Built {
    /// The folder it is in.
    pub dist: Dist,
    /// The runners in it, and those that are not.
    pub runners: Runners,
}

/// Builds all that is not up to date.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<Built> {
    let dist = Dist::of(tree);
    build_programs(tree, &dist)?;
    workloads::build(tree, &dist, &Compiler::find(&tree.target)?)?;
    build_clock(tree, &dist)?;
    let runners = Runners::build(tree, &dist, &options.engines)?;
    progress::line(format!("built into {}", dist.root.display()));
    runners.report_costs();
    runners.report();
    Ok(Built { dist, runners })
}

/// What the daemon calibrates itself with.
fn build_clock(tree: &Tree, dist: &Dist) -> Result<()> {
    make_dir(&dist.runners())?;
    Compiler::find(&tree.target)?.make(&Program {
        source: tree.root.join("tests/programs/freestanding/clock.c"),
        libraries: Vec::new(),
        form: Form::Freestanding,
        output: dist.runners().join("wbd-clock"),
    })
}

fn build_programs(tree: &Tree, dist: &Dist) -> Result<()> {
    let names = ["wbd", "wbctl"];
    let title = "wbd and wbctl";
    let job = Job {
        title,
        command: &["build", "--release"],
        packages: &packages(&names),
        edges: "normal,build",
        environment: &[],
    };
    let made = job.run(&tree.root)?;
    names
        .iter()
        .try_for_each(|name| install(executable(&made, name)?, &dist.bin()))
}
