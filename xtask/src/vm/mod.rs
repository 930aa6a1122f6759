//! `cargo xtask vm`: the tests that need root, on other kernels than the host's, each in an emulated machine.
//!
//! A guest gets what was built for this host, as it is, beside a few programs of Debian's, on a disk of its own. What it
//! is made of is kept in the build directory.

mod disk;
mod guest;
mod machine;
mod packages;
mod suite;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use self::disk::Content;
use self::guest::Outcome;
use self::machine::{MACHINES, Machine};
use crate::build;
use crate::cargo::{Job, packages};
use crate::compiler::Compiler;
use crate::dist::Dist;
use crate::programs;
use crate::progress;
use crate::setup;
use crate::steps::Steps;
use crate::tally::Tally;
use crate::test::{BLACK_BOX, must_be_root};
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
}

/// Runs the tests on each machine; the last line on standard output counts them.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<ExitCode> {
    must_be_root("vm")?;
    let machines = options.machines()?;
    let mut steps = Steps::default();
    setup::provide(setup::EMULATING)?;
    let suite = steps.run("build", || Suite::build(tree, &options.tests))?;
    let mut all = Tally::default();
    let mut faults = 0;
    for machine in &machines {
        let outcome = steps.run(machine.name, || suite.run_on(machine, &tree.target.join("vm")))?;
        for fault in &outcome.faults {
            progress::line(format!("{}: {fault}", machine.name));
        }
        faults += outcome.faults.len();
        all = all.add(outcome.tally);
    }
    steps.report();
    let there_are = machines.len() * suite::all(&tree.root.join("tests/tests"))?;
    progress::output(format!(
        "{} machines: {} passed, {} failed, {faults} faults, {} left to `cargo xtask test`",
        machines.len(),
        all.passed,
        all.failed,
        (there_are as u64).saturating_sub(all.ran()),
    ));
    let good = all.failed == 0 && all.ignored == 0 && faults == 0 && all.passed > 0;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Options {
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

/// The engines whose runners guests get: of each kind one.
const ENGINES: [&str; 2] = ["wasmtime", "wasmi"];

/// What was built, and the tests to run of it.
struct Suite {
    dist: Dist,
    /// Those whose runners guests get.
    engines: Vec<String>,
    /// Name and file of each program of tests.
    tests: Vec<(String, PathBuf)>,
    /// The client of the tests, which they know by the path it was built at.
    client: Option<PathBuf>,
}

impl Suite {
    /// Builds what guests need, of the engines those alone that they get.
    fn build(tree: &Tree, only: &[String]) -> Result<Self> {
        let engines: Vec<String> = ENGINES.map(str::to_owned).into();
        let options = build::Options {
            engines: engines.clone(),
        };
        let dist = build::run(tree, &options)?.dist;
        programs::build(tree, &dist, &Compiler::find(&tree.target)?)?;
        let (mut tests, client) = test_programs(tree)?;
        tests.retain(|(name, _)| only.is_empty() || only.contains(name));
        ensure!(
            !tests.is_empty(),
            "no file of tests has such a name: see tests/tests"
        );
        Ok(Self {
            dist,
            engines,
            tests,
            client,
        })
    }

    fn run_on(&self, machine: &Machine, cache: &Path) -> Result<Outcome> {
        let kernel = packages::kernel(machine, cache)?;
        let root = packages::root(machine.architecture, cache)?;
        let files: Vec<String> = self.files().map(|(name, _)| name.to_owned()).collect();
        let content = Content {
            root: &root,
            dist: &self.dist,
            engines: &self.engines,
            tests: &self.tests,
            in_place: self.client.as_deref(),
            list: &self.list(),
        };
        let disk = content.write(&cache.join(machine.name))?;
        guest::run(machine, &kernel, &disk, &files)
    }

    /// The files that run, each with its arguments.
    fn files(&self) -> impl Iterator<Item = (&'static str, String)> {
        let is_there = |file: &str| self.tests.iter().any(|(name, _)| name == file);
        suite::files().filter(move |(file, _)| is_there(file))
    }

    fn list(&self) -> String {
        let line = |(file, arguments): (&str, String)| format!("{file}{arguments}\n");
        self.files().map(line).collect()
    }
}

/// The programs of tests, by name.
type Tests = Vec<(String, PathBuf)>;

/// The programs of tests, and the client they start.
fn test_programs(tree: &Tree) -> Result<(Tests, Option<PathBuf>)> {
    let made = Job {
        title: BLACK_BOX,
        command: &["test", "--no-run"],
        packages: &packages(&[BLACK_BOX]),
        edges: "normal,build,dev",
        environment: &[],
    }
    .run(&tree.root)?;
    let mut tests = Vec::new();
    for file in &made {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Some((name, _hash)) = name.rsplit_once('-') else {
            continue;
        };
        if tree.root.join("tests/tests").join(format!("{name}.rs")).is_file() {
            tests.push((name.to_owned(), file.clone()));
        }
    }
    if tests.is_empty() {
        bail!("{BLACK_BOX} holds no test");
    }
    let client = made.into_iter().find(|file| file.ends_with("raw-client"));
    Ok((tests, client))
}
