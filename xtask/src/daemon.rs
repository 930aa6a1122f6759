//! The built daemon at work for the time of a task, and what it is asked.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::build;
use crate::dist::Dist;
use crate::programs;
use crate::service::Service;
use crate::setup;
use crate::shell;
use crate::test::must_be_root;
use crate::tree::Tree;

/// A daemon with a folder of its own, which goes with it. Dropping it stops it.
pub(crate) struct Daemon {
    service: Service,
    scratch: TempDir,
    dist: Dist,
}

impl Daemon {
    /// Starts what was built into `dist`, and waits until it answers. Its log bears the task's name.
    pub(crate) fn start(tree: &Tree, dist: Dist, task: &str) -> Result<Self> {
        let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
        let socket = socket_in(scratch.path());
        let mut wbd = Command::new(dist.bin().join("wbd"));
        wbd.arg("--socket").arg(&socket);
        wbd.arg("--state").arg(scratch.path().join("state"));
        let log = tree.target.join(task).join("wbd.log");
        let service = Service::start("wbd", &mut wbd, &log, || UnixStream::connect(&socket).is_ok())?;
        Ok(Self {
            service,
            scratch,
            dist,
        })
    }

    /// Builds what figures are taken of, Wasmtime's runner and the tests' programs among it, and starts the daemon.
    pub(crate) fn with_programs(tree: &Tree, task: &str, peers: bool) -> Result<Self> {
        must_be_root(task)?;
        setup::run(&setup::Options {
            docker: false,
            peers,
            without_llvm: true,
        })?;
        let platform = build::run(tree, &build::Options::wasmtime())?.platform;
        programs::build(tree, &platform)?;
        Self::start(tree, platform.dist, task)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.service.pid()
    }

    /// A folder for what a task writes.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// A client of it.
    pub(crate) fn wbctl(&self) -> Command {
        let mut wbctl = Command::new(self.dist.bin().join("wbctl"));
        wbctl.arg("--socket").arg(socket_in(self.scratch.path()));
        wbctl
    }

    /// A program of `tests/programs`.
    pub(crate) fn program(&self, name: &str) -> String {
        self.dist.tests().join(name).display().to_string()
    }

    /// A workload as a static program.
    pub(crate) fn workload(&self, name: &str) -> String {
        let program = format!("{name}/{name}.static");
        self.dist.workloads().join(program).display().to_string()
    }

    /// The runs that count of a test program.
    pub(crate) fn measure(&self, program: &str, args: &[&str], runs: u32) -> Result<Vec<Value>> {
        self.runs(&[&["--", &self.program(program)], args].concat(), runs)
    }

    /// The runs that count of what these flags of `run` describe.
    pub(crate) fn runs(&self, flags: &[&str], runs: u32) -> Result<Vec<Value>> {
        let number = runs.to_string();
        let mut run = self.wbctl();
        shell::read(run.args(["--json", "run", "-n", &number]).args(flags))?;
        let mut document = self.latest()?;
        let samples = document["cells"][0]["samples"].take();
        let Value::Array(samples) = samples else {
            anyhow::bail!("the document has no runs");
        };
        let counted = samples.into_iter().filter(|run| run["valid"] == true);
        Ok(counted.collect())
    }

    /// The newest experiment, with its runs.
    pub(crate) fn latest(&self) -> Result<Value> {
        let mut show = self.wbctl();
        let document = shell::read(show.args(["--json", "show", "latest", "--runs"]))?;
        serde_json::from_str(&document).context("wbctl printed no document")
    }
}

fn socket_in(scratch: &Path) -> PathBuf {
    scratch.join("wbd.sock")
}
