//! The tasks of this repository, one file each: `cargo xtask TASK`.
//!
//! Every command a task runs is shown first. What a task starts it also stops, on success, on error and on Ctrl-C.

mod accuracy;
mod apt;
mod bench;
mod bpf_linker;
mod build;
mod cargo;
mod compiler;
mod cross;
mod daemon;
mod deb;
mod demo;
mod dist;
mod docker;
mod ebpf;
mod fingerprint;
mod fuzz;
mod interrupt;
mod llvm;
mod locks;
mod pinned;
mod platform;
mod programs;
mod progress;
mod runners;
mod service;
mod setup;
mod shell;
mod steps;
mod tally;
mod test;
mod toolchain;
mod tree;
mod vm;
mod wasmedge;
mod workloads;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::tree::Tree;

/// Tasks of the wbd repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what compiling and measuring need
    Setup(setup::Options),
    /// Build the programs, the runners and the workloads into one folder
    Build(build::Arguments),
    /// Pack what was built for Debian, with units for systemd
    Deb(build::Options),
    /// Let the lock files of workspaces of their own follow the root's
    Locks,
    /// Rebuild the kernel object, or check the committed one
    Ebpf(ebpf::Options),
    /// From a fresh machine to tables: build everything, start the daemon, measure, print
    Demo(demo::Options),
    /// Compare the tool with a bare spawn loop, hyperfine and perf stat, all in one run
    Bench,
    /// Hold every figure against programs that know their own truth
    Accuracy,
    /// Give a fuzzer what is read of others
    Fuzz(fuzz::Options),
    /// Run every test that this machine can run
    Test,
    /// Run the tests that need root on other kernels, each in an emulated machine
    Vm(vm::Options),
}

fn main() -> ExitCode {
    run(Args::parse().task).unwrap_or_else(|error| {
        progress::line(format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

fn run(task: Task) -> Result<ExitCode> {
    interrupt::watch()?;
    let tree = Tree::find()?;
    match task {
        Task::Setup(options) => setup::run(&options)?,
        Task::Build(options) => build::task(&tree, &options)?,
        Task::Deb(options) => deb::run(&tree, &options)?,
        Task::Locks => locks::run(&tree)?,
        Task::Ebpf(options) => ebpf::run(&tree, &options)?,
        Task::Demo(options) => demo::run(&tree, &options)?,
        Task::Accuracy => accuracy::run(&tree)?,
        Task::Fuzz(options) => fuzz::run(&tree, &options)?,
        Task::Bench => bench::run(&tree)?,
        Task::Test => return test::run(&tree),
        Task::Vm(options) => return vm::run(&tree, &options),
    }
    Ok(ExitCode::SUCCESS)
}
