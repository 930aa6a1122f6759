//! What guests get of ours, built for each architecture that is asked for.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use super::disk::Content;
use super::guest::{self, Outcome};
use super::machine::Machine;
use super::{packages, suite};
use crate::build;
use crate::cargo::{Job, packages};
use crate::cross;
use crate::dist::Dist;
use crate::platform::Platform;
use crate::programs;
use crate::steps::Steps;
use crate::test::BLACK_BOX;
use crate::tree::Tree;

/// What a guest has to do.
pub(crate) enum Work {
    /// Tests: of these files, or where none is named, of all.
    Tests(Vec<String>),
    /// A shell script, beside a daemon.
    Script(String),
}

/// What the script is called where tests are told of.
const SCRIPT: &str = "script";

/// Those of each architecture that is asked for.
#[derive(Default)]
pub(crate) struct Guests {
    host: Option<Guest>,
    arm64: Option<Guest>,
}

impl Guests {
    /// Builds what the machines need for this work.
    pub(crate) fn build(tree: &Tree, machines: &[&Machine], work: &Work, steps: &mut Steps) -> Result<Self> {
        let is_wanted = |arm64: bool| machines.iter().any(|machine| machine.is_arm64() == arm64);
        let mut guests = Self::default();
        if is_wanted(false) {
            let build = || Guest::build(tree, Platform::host(tree)?, work);
            guests.host = Some(steps.run("build", build)?);
        }
        if is_wanted(true) {
            let build = || Guest::build(tree, cross::arm64(tree)?, work);
            guests.arm64 = Some(steps.run("build for arm64", build)?);
        }
        Ok(guests)
    }

    /// What is for this machine.
    pub(crate) fn of(&self, machine: &Machine) -> Result<&Guest> {
        let found = if machine.is_arm64() {
            &self.arm64
        } else {
            &self.host
        };
        found
            .as_ref()
            .context("what machines run is built before they are")
    }
}

/// What was built, and what is to be done with it.
pub(crate) struct Guest {
    dist: Dist,
    /// Those whose runners guests get.
    engines: Vec<String>,
    /// Name and file of each program of tests.
    tests: Tests,
    /// The client of the tests, which they know by the path it was built at.
    client: Option<PathBuf>,
    script: Option<String>,
}

impl Guest {
    /// Builds what guests need, of the engines those alone that they get.
    fn build(tree: &Tree, platform: Platform, work: &Work) -> Result<Self> {
        let engines: Vec<String> = cross::ENGINES.map(str::to_owned).into();
        let options = build::Options {
            engines: engines.clone(),
        };
        let platform = build::run_for(tree, platform, &options)?.platform;
        programs::build(tree, &platform)?;
        let (tests, client, script) = match work {
            Work::Tests(only) => {
                let (tests, client) = chosen_tests(tree, &platform, only)?;
                (tests, client, None)
            }
            Work::Script(text) => (Tests::new(), None, Some(text.clone())),
        };
        Ok(Self {
            dist: platform.dist,
            engines,
            tests,
            client,
            script,
        })
    }

    /// Boots the machine, which does its work.
    pub(crate) fn run_on(&self, tree: &Tree, machine: &Machine) -> Result<Outcome> {
        let cache = &tree.target.join("vm");
        let kernel = packages::kernel(machine, cache)?;
        let root = packages::root(machine, cache)?;
        let content = Content {
            tree,
            root: &root,
            manager: machine.manager,
            dist: &self.dist,
            engines: &self.engines,
            tests: &self.tests,
            in_place: self.client.as_deref(),
            list: &self.list(machine),
            script: self.script.as_deref(),
        };
        let disk = content.write(&cache.join(machine.name))?;
        guest::run(machine, &kernel, &disk, &self.must_end(machine))
    }

    fn must_end(&self, machine: &Machine) -> Vec<String> {
        let script = self.script.iter().map(|_| SCRIPT);
        self.files(machine)
            .map(|(name, _)| name)
            .chain(script)
            .map(str::to_owned)
            .collect()
    }

    /// The files that run, each with its arguments.
    fn files(&self, machine: &Machine) -> impl Iterator<Item = (&'static str, String)> {
        let is_there = |file: &str| self.tests.iter().any(|(name, _)| name == file);
        suite::files(machine.manager).filter(move |(file, _)| is_there(file))
    }

    fn list(&self, machine: &Machine) -> String {
        let line = |(file, arguments): (&str, String)| format!("{file}{arguments}\n");
        self.files(machine).map(line).collect()
    }
}

fn chosen_tests(tree: &Tree, platform: &Platform, only: &[String]) -> Result<(Tests, Option<PathBuf>)> {
    let (mut tests, client) = test_programs(tree, platform)?;
    tests.retain(|(name, _)| only.is_empty() || only.contains(name));
    ensure!(
        !tests.is_empty(),
        "no file of tests has such a name: see tests/tests"
    );
    Ok((tests, client))
}

/// The programs of tests, by name.
type Tests = Vec<(String, PathBuf)>;

/// The programs of tests, and the client they start.
fn test_programs(tree: &Tree, platform: &Platform) -> Result<(Tests, Option<PathBuf>)> {
    let made = Job {
        title: BLACK_BOX,
        command: &[platform.test_command, &["--no-run", "--features=guest"]].concat(),
        packages: &packages(&[BLACK_BOX]),
        edges: "normal,build,dev",
        environment: &platform.environment,
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
