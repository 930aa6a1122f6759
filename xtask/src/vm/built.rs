//! What guests get of ours, built for each architecture that is asked for.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

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
        suite::files(machine).filter(move |(file, _)| is_there(file))
    }

    fn list(&self, machine: &Machine) -> String {
        let line = |(file, arguments): (&str, String)| format!("{file}{arguments}\n");
        self.files(machine).map(line).collect()
    }
}

/// The programs of tests, by name.
type Tests = Vec<(String, PathBuf)>;

/// The programs of the tests that machines run, and the client they start.
fn chosen_tests(tree: &Tree, platform: &Platform, only: &[String]) -> Result<(Tests, Option<PathBuf>)> {
    let names = chosen(only)?;
    let flags: Vec<&str> = names.iter().flat_map(|name| ["--test", name]).collect();
    let made = Job {
        title: BLACK_BOX,
        command: &[platform.test_command, &["--no-run", "--features=guest"], &flags].concat(),
        packages: &packages(&[BLACK_BOX]),
        edges: "normal,build,dev",
        environment: &platform.environment,
    }
    .run(&tree.root)?;
    let named = |file: &PathBuf| {
        let name = file.file_name()?.to_str()?;
        let (name, _hash) = name.rsplit_once('-')?;
        names.contains(&name).then(|| (name.to_owned(), file.clone()))
    };
    let tests = made.iter().filter_map(named).collect();
    let client = made.into_iter().find(|file| file.ends_with("raw-client"));
    Ok((tests, client))
}

/// Those of the names that were asked for which machines run; all where none is.
fn chosen(only: &[String]) -> Result<Vec<&'static str>> {
    let all: Vec<&str> = suite::names().collect();
    if let Some(unknown) = only.iter().find(|name| !all.contains(&name.as_str())) {
        bail!(
            "no machine runs tests called {unknown}: there are {}",
            all.join(", ")
        );
    }
    let is_chosen = |name: &&str| only.is_empty() || only.iter().any(|chosen| chosen == name);
    Ok(all.into_iter().filter(is_chosen).collect())
}
