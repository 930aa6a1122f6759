//! `cargo xtask setup`: the Debian packages which compiling and measuring need.
//!
//! A second run costs one `dpkg-query`. On a system without dpkg it can only say what has to be there.

use std::process::Command;

use anyhow::{Result, bail, ensure};
use clap::Args;
use nix::unistd::Uid;

use crate::compiler::CLANG;
use crate::docker;
use crate::progress;
use crate::shell;

/// What to set up.
#[derive(Args)]
pub(crate) struct Options {
    /// Also install Docker, unless there is one
    #[arg(long)]
    pub docker: bool,
    /// Also install the tools that benchmarks compare with
    #[arg(long)]
    pub peers: bool,
    /// Leave out LLVM, which one of Wasmer's compilers is built with
    #[arg(long)]
    pub without_llvm: bool,
}

/// A package and what it is for.
pub(crate) type Package = (&'static str, &'static str);

const COMPILING: &[Package] = &[
    ("clang-19", "compiles the workloads, natively and to Wasm"),
    ("lld-19", "links Wasm modules"),
    (
        "libclang-rt-19-dev-wasm32",
        "the compiler's own routines for Wasm",
    ),
    ("wasi-libc", "the C library of Wasm modules"),
    ("cmake", "builds WAMR"),
    ("g++", "compiles the fuzzer"),
    (
        "libc6-dev",
        "the C library of native workloads, static and dynamic",
    ),
];

const PEERS: &[Package] = &[
    ("hyperfine", "launches programs and times them from outside"),
    ("linux-perf", "launches programs and counts (perf stat -r)"),
];

const CONTAINERS: &[Package] = &[
    ("docker.io", "runs the containers that are measured"),
    ("containerd", "keeps containers for Docker"),
    ("runc", "starts containers for containerd"),
    ("iptables", "gives containers a network"),
];

/// For other machines than this one.
pub(crate) const EMULATING: &[Package] = &[
    ("qemu-system-x86", "is a machine for another kernel"),
    ("qemu-system-arm", "is a machine of another architecture"),
    ("e2fsprogs", "makes the disks of such machines"),
];

/// For one runner alone: without them the others are built.
pub(crate) const LLVM: &[Package] = &[
    ("llvm-22-dev", "the compiler that Wasmer's LLVM runner contains"),
    ("libpolly-22-dev", "a part of LLVM that Debian packs by itself"),
    ("libz3-dev", "a library that LLVM uses"),
    ("libzstd-dev", "a library that LLVM uses"),
    ("libxml2-dev", "a library that LLVM uses"),
    ("zlib1g-dev", "a library that LLVM uses"),
];

/// Installs what is missing.
pub(crate) fn run(options: &Options) -> Result<()> {
    provide(&wanted(options))?;
    if options.without_llvm {
        return Ok(());
    }
    if let Err(error) = provide(LLVM) {
        progress::line(format!(
            "setup: there will be no targets wasmer-llvm-*, since LLVM cannot be installed: {error:#}"
        ));
    }
    Ok(())
}

/// The command that installs these packages.
pub(crate) fn install_command(packages: &[Package]) -> String {
    let names: Vec<_> = names(packages).collect();
    let list = names.join(" ");
    format!("sudo apt-get update && sudo apt-get install --yes {list}")
}

/// Installs those of `wanted` that are missing.
pub(crate) fn provide(wanted: &[Package]) -> Result<()> {
    let missing = missing(wanted)?;
    if missing.is_empty() {
        progress::line("setup: nothing is missing");
        return Ok(());
    }
    for (package, purpose) in &missing {
        progress::line(format!("setup: {package} is missing: {purpose}"));
    }
    install(&missing)
}

fn wanted(options: &Options) -> Vec<Package> {
    let has_docker = || shell::find_program("dockerd").is_some() || docker::answers();
    let containers = if options.docker && !has_docker() {
        CONTAINERS
    } else {
        &[]
    };
    let peers = if options.peers { PEERS } else { &[] };
    [COMPILING, containers, peers].concat()
}

fn missing(wanted: &[Package]) -> Result<Vec<Package>> {
    if shell::find_program("dpkg-query").is_none() {
        return elsewhere(wanted).map(|()| Vec::new());
    }
    let installed = installed(wanted)?;
    Ok(wanted
        .iter()
        .filter(|(package, _)| !installed.lines().any(|line| line == *package))
        .copied()
        .collect())
}

/// Without dpkg only the compiler is looked for; the rest shows when it is used.
fn elsewhere(wanted: &[Package]) -> Result<()> {
    let list: Vec<_> = wanted
        .iter()
        .map(|(package, purpose)| format!("  {package}: {purpose}"))
        .collect();
    let list = list.join("\n");
    ensure!(
        shell::find_program(CLANG).is_some(),
        "this is no Debian system, and there is no {CLANG} in PATH. Install the equivalents of:\n{list}"
    );
    progress::line(format!(
        "setup: no Debian system; taking it that the equivalents of these are installed:\n{list}"
    ));
    Ok(())
}

/// One name a line. dpkg-query fails when it does not know one of the packages, and lists the others all the same.
fn installed(wanted: &[Package]) -> Result<String> {
    let mut query = Command::new("dpkg-query");
    query
        .args(["--show", r"--showformat=${db:Status-Status} ${Package}\n"])
        .args(names(wanted));
    shell::show(&query);
    let output = query.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .lines()
        .filter_map(|line| line.strip_prefix("installed "))
        .collect::<Vec<_>>()
        .join("\n"))
}

fn install(packages: &[Package]) -> Result<()> {
    if !Uid::effective().is_root() {
        bail!("installing needs root. Run: {}", install_command(packages));
    }
    shell::run(&mut apt_get(&["update"]))?;
    shell::run(apt_get(&["install", "--yes", "--no-install-recommends"]).args(names(packages)))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(["--quiet", "-o", "Dpkg::Use-Pty=0"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn names(packages: &[Package]) -> impl Iterator<Item = &'static str> {
    packages.iter().map(|(package, _)| *package)
}
