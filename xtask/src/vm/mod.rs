//! `cargo xtask vm`: the tests that need root, on other kernels than the host's, each in an emulated machine.
//!
//! A guest gets what was built for this host, as it is, or for arm64, beside a few programs of Debian's, on a disk of its
//! own. What it is made of is kept in the build directory.

mod built;
mod disk;
mod guest;
mod machine;
mod packages;
mod suite;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use self::built::{Guests, Work};
use self::machine::{MACHINES, Machine};
use crate::dist::read;
use crate::progress;
use crate::setup;
use crate::steps::Steps;
use crate::tally::Tally;
use crate::test::must_be_root;
use crate::tree::Tree;

/// Which machines and which tests.
#[derive(Args)]
pub(crate) struct Options {
    /// This machine and no other; may be given several times
    #[arg(long = "machine", value_name = "NAME")]
    machines: Vec<String>,
    /// This file of tests and no other; may be given several times
    #[arg(long = "test", value_name = "FILE")]
    tests: Vec<String>,
    /// No test, but this shell script, beside a daemon that listens where wbctl asks
    #[arg(long, value_name = "FILE", conflicts_with = "tests")]
    script: Option<PathBuf>,
}

/// Runs the tests on each machine; the last line on standard output counts them.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<ExitCode> {
    must_be_root("vm")?;
    let machines = options.machines()?;
    let mut steps = Steps::default();
    setup::provide(setup::EMULATING)?;
    let work = options.work()?;
    let guests = Guests::build(tree, &machines, &work, &mut steps)?;
    let mut all = Tally::default();
    let mut faults = 0;
    for machine in &machines {
        let guest = guests.of(machine)?;
        let outcome = steps.run(machine.name, || guest.run_on(tree, machine))?;
        for fault in &outcome.faults {
            progress::line(format!("{}: {fault}", machine.name));
        }
        faults += outcome.faults.len();
        all = all.add(outcome.tally);
    }
    steps.report();
    progress::output(closing_line(tree, machines.len(), all, faults)?);
    let has_run = all.passed > 0 || matches!(work, Work::Script(_));
    let good = all.failed == 0 && all.ignored == 0 && faults == 0 && has_run;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn closing_line(tree: &Tree, machines: usize, all: Tally, faults: usize) -> Result<String> {
    let there_are = machines * suite::all(&tree.root.join("tests/tests"))?;
    Ok(format!(
        "{machines} machines: {} passed, {} failed, {faults} faults, {} not for these machines",
        all.passed,
        all.failed,
        (there_are as u64).saturating_sub(all.ran()),
    ))
}

impl Options {
    fn work(&self) -> Result<Work> {
        let Some(script) = &self.script else {
            return Ok(Work::Tests(self.tests.clone()));
        };
        Ok(Work::Script(String::from_utf8_lossy(&read(script)?).into_owned()))
    }

    fn machines(&self) -> Result<Vec<&'static Machine>> {
        if self.machines.is_empty() {
            return Ok(MACHINES.iter().collect());
        }
        let named = |name: &String| {
            let known: Vec<&str> = MACHINES.iter().map(|machine| machine.name).collect();
            Machine::named(name)
                .with_context(|| format!("no machine is called {name}: there are {}", known.join(", ")))
        };
        self.machines.iter().map(named).collect()
    }
}
