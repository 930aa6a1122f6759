//! `cargo xtask test`: every test, those which need root and Docker included.
//!
//! None is skipped, but those of a runner that cannot be built here: they are counted as one, with the reason.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail, ensure};
use nix::unistd::Uid;

use crate::build;
use crate::cargo::{self, Job, packages};
use crate::deb;
use crate::dist::Dist;
use crate::docker;
use crate::fuzz;
use crate::programs;
use crate::progress::{self, Bar};
use crate::runners::{Means, Runners};
use crate::setup;
use crate::shell;
use crate::steps::Steps;
use crate::tally::{Event, Tally};
use crate::tree::Tree;

/// The package of black-box tests: it starts the built programs, as root.
pub(crate) const BLACK_BOX: &str = "wbd-tests";

/// What tests need that nothing else does.
const MANAGER: &[setup::Package] = &[(
    "systemd",
    "passes a socket to the daemon as it does where it is running (systemd-socket-activate)",
)];

/// Runs all tests; the last line on standard output counts them.
pub(crate) fn run(tree: &Tree) -> Result<ExitCode> {
    must_be_root("test")?;
    let mut steps = Steps::default();
    let mut suites = Suites::default();
    let outcome = run_all(tree, &mut steps, &mut suites);
    steps.report();
    suites.report();
    if let Err(error) = &outcome {
        progress::line(format!("error: {error:#}"));
    }
    let all = suites.unit.add(suites.black_box);
    progress::output(closing_line(all, suites.left_out));
    let good = outcome.is_ok() && all.failed == 0 && all.ignored == 0;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Fails with the command to type where root is missing.
pub(crate) fn must_be_root(task: &str) -> Result<()> {
    ensure!(
        Uid::effective().is_root(),
        "watching programs from the kernel needs root. Run: sudo --preserve-env=PATH,HOME,CARGO_TARGET_DIR cargo xtask {task}"
    );
    Ok(())
}

/// Runners that were left out are told of only where there are any.
fn closing_line(all: Tally, left_out: usize) -> String {
    let skipped = match left_out {
        0 => String::new(),
        suites => format!(", {suites} skipped"),
    };
    format!("{} passed, {} failed{skipped}", all.passed, all.failed)
}

#[derive(Default)]
struct Suites {
    unit: Tally,
    black_box: Tally,
    /// How many runners there was nothing to test of.
    left_out: usize,
}

impl Suites {
    fn report(&self) {
        let skipped = match self.unit.ignored + self.black_box.ignored {
            0 => "none was skipped".to_owned(),
            number => format!("{number} WERE SKIPPED, which is a failure: a test runs or does not exist"),
        };
        let left_out = match self.left_out {
            0 => String::new(),
            runners => format!("; {runners} runners ARE LEFT OUT with their tests, for the reasons above"),
        };
        progress::line(format!(
            "{} unit tests; {} tests needed root, {} of them Docker; {skipped}{left_out}",
            self.unit.ran(),
            self.black_box.ran(),
            self.black_box.docker,
        ));
    }
}

fn run_all(tree: &Tree, steps: &mut Steps, suites: &mut Suites) -> Result<()> {
    steps.run("setup", || {
        setup::run(&setup::Options {
            docker: true,
            peers: false,
            without_llvm: false,
        })?;
        setup::provide(MANAGER)
    })?;
    let built = steps.run("build", || build::run(tree, &build::Options::default()))?;
    let (platform, runners) = (built.platform, built.runners);
    steps.run("build test programs", || programs::build(tree, &platform))?;
    let dist = platform.dist;
    let package = steps.run("pack", || deb::pack(tree, &dist))?;
    let _docker = steps.run("start Docker", || docker::ensure(tree))?;
    let unit = steps.run("unit tests", || unit_tests(tree, &mut suites.unit));
    let fuzzed = steps.run("fuzz targets", || fuzz_targets(tree, &mut suites.unit));
    let of_runners = steps.run("runners' tests", || runner_tests(tree, &runners, suites));
    let black_box = steps.run("tests as root", || {
        black_box_tests(tree, (&dist, &package), &mut suites.black_box)
    });
    unit.and(fuzzed).and(of_runners).and(black_box)
}

/// Those of the default members of the workspace: without the runners and the black-box tests.
fn unit_tests(tree: &Tree, tally: &mut Tally) -> Result<()> {
    let compile = Job {
        title: "unit tests",
        command: &["test", "--no-run"],
        packages: &[],
        edges: "normal,build,dev",
        environment: &[],
    };
    compile.run(&tree.root)?;
    run_tests(
        cargo::command()
            .current_dir(&tree.root)
            .args(["test", "--no-fail-fast"]),
        tally,
    )
}

/// What the seeds and their nearest relatives break shows. Each target counts as one test.
fn fuzz_targets(tree: &Tree, tally: &mut Tally) -> Result<()> {
    let outcomes = fuzz::test(tree)?;
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    tally.passed += good.len() as u64;
    tally.failed += bad.len() as u64;
    bad.into_iter().collect()
}

/// Of all runners, whatever comes of the first.
fn runner_tests(tree: &Tree, runners: &Runners, suites: &mut Suites) -> Result<()> {
    runners.report();
    suites.left_out = runners.skipped.len();
    let mut outcome = Ok(());
    for (package, means) in &runners.built {
        outcome = outcome.and(tests_of_runner(tree, package, means, &mut suites.unit));
    }
    outcome
}

/// A runner's own tests, optimised as it is measured: its engine is built already.
fn tests_of_runner(tree: &Tree, package: &str, means: &Means, tally: &mut Tally) -> Result<()> {
    let mut cargo = cargo::command();
    cargo
        .current_dir(crate::runners::folder(&tree.root, package))
        .args(["test", "--release", "--no-fail-fast"])
        .args(packages(&[package]))
        .envs(means.environment.iter().cloned());
    run_tests(&mut cargo, tally)
}

/// One at a time: they share the machine they measure.
fn black_box_tests(tree: &Tree, (dist, package): (&Dist, &Path), tally: &mut Tally) -> Result<()> {
    let packages = packages(&[BLACK_BOX]);
    let command = &["test", "--no-run"];
    Job {
        title: BLACK_BOX,
        command,
        packages: &packages,
        edges: "normal,build,dev",
        environment: &[],
    }
    .run(&tree.root)?;
    let mut cargo = cargo::command();
    cargo
        .current_dir(&tree.root)
        .args(["test", "--no-fail-fast"])
        .args(&packages)
        .args(["--", "--test-threads=1"]);
    run_tests(cargo.env("WBD_DIST", &dist.root).env("WBD_DEB", package), tally)?;
    if tally.ran() == 0 {
        bail!("{BLACK_BOX} holds no test");
    }
    Ok(())
}

/// Passes the tests' output through and counts them.
fn run_tests(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let bar = Bar::new("tests run", 0);
    let outcome = shell::run_lines(command, |line| {
        match tally.read(line) {
            Event::Begun(tests) => bar.extend(tests),
            Event::Over => bar.advance(),
            Event::Text => {}
        }
        progress::output(line);
    });
    bar.finish();
    outcome
}
