//! `cargo xtask accuracy`: every figure against programs that know their own truth.
//!
//! Each line is one metric of one program (`tests/programs`): how far the figure lies from the truth over many runs. Where a
//! program of the kind has a cost of its own beside what it is told to do (pages of its C library, switches of its start),
//! the truth is what it was told, and the figure is taken less the median of the same program told to do nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use nix::time::{ClockId, clock_gettime};
use serde_json::Value;

use crate::daemon::Daemon;
use crate::progress::line;
use crate::tree::Tree;

const MIB: f64 = 1048576.0;

/// A metric of a program, and the truth of it.
struct Truth {
    metric: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    /// The same program told to do nothing; what it has is no error.
    idle: Option<&'static [&'static str]>,
    truth: f64,
    unit: Unit,
    runs: u32,
}

/// What errors are told in.
#[derive(Clone, Copy)]
enum Unit {
    Ns,
    KiB,
    Count,
}

const fn memory(metric: &'static str, args: &'static [&'static str], mib: f64, runs: u32) -> Truth {
    Truth {
        metric,
        program: "touch",
        args,
        idle: Some(&["0"]),
        truth: mib * MIB,
        unit: Unit::KiB,
        runs,
    }
}

const TRUTHS: [Truth; 10] = [
    Truth {
        metric: "cpu_time",
        program: "spin",
        args: &["200"],
        idle: None,
        truth: 200e6,
        unit: Unit::Ns,
        runs: 20,
    },
    Truth {
        metric: "voluntary_switches",
        program: "naps",
        args: &["100"],
        idle: Some(&["0"]),
        truth: 100.0,
        unit: Unit::Count,
        runs: 20,
    },
    memory("rss_peak", &["1"], 1.0, 40),
    memory("rss_peak", &["64"], 64.0, 20),
    memory("rss_peak", &["512"], 512.0, 5),
    memory("rss_peak", &["64", "shared"], 64.0, 20),
    memory("rss_peak", &["64", "huge"], 64.0, 20),
    memory("cgroup_peak", &["64"], 64.0, 20),
    memory("cgroup_peak", &["64", "child"], 64.0, 20),
    Truth {
        metric: "page_faults",
        program: "touch",
        args: &["64"],
        idle: Some(&["0"]),
        truth: 64.0 * 256.0,
        unit: Unit::Count,
        runs: 20,
    },
];

/// Runs that are held against the clock that the program read itself.
const CLOCK_RUNS: u32 = 1000;
/// The same of a guest.
const GUEST_RUNS: u32 = 100;

/// Builds, starts a daemon and prints the table.
pub(crate) fn run(tree: &Tree) -> Result<()> {
    let daemon = Daemon::with_programs(tree, "accuracy", false)?;
    line(format!(
        "{:<42} {:>5} {:>14} {:>12} {:>12} {:>12}",
        "figure less truth", "runs", "truth", "median", "p98 of |.|", "largest |.|"
    ));
    report_entry(&daemon)?;
    report_guest(&daemon)?;
    for truth in &TRUTHS {
        report(&daemon, truth)?;
    }
    Ok(())
}

/// `entry` against a program that reads the clock as its very first act.
fn report_entry(daemon: &Daemon) -> Result<()> {
    let told = daemon.scratch().join("told_by_program");
    let runs = daemon.measure("clock", &[&told.display().to_string()], CLOCK_RUNS)?;
    let errors = errors(&runs, "entry", &told, 0.0)?;
    print("entry, of a static program", f64::NAN, Unit::Ns, errors.clone());
    let bias = daemon.latest()?["machine"]["entry_bias"]["early_ns"].as_f64();
    let bias = bias.context("the daemon did not calibrate itself")?;
    let calibrated = errors.iter().map(|error| error + bias).collect();
    print(
        "the same, less the daemon's calibration",
        f64::NAN,
        Unit::Ns,
        calibrated,
    );
    Ok(())
}

/// `guest` against a guest whose first act is to read the clock, which it knows as time since 1970.
fn report_guest(daemon: &Daemon) -> Result<()> {
    let module = daemon.program("first_act.wasm");
    let given = format!("{}::/", daemon.scratch().display());
    let since_1970 = now(ClockId::CLOCK_REALTIME)? - now(ClockId::CLOCK_MONOTONIC)?;
    for target in ["wasmtime-jit", "wasmtime-aot"] {
        let name = format!("/told_by_{target}");
        let flags = ["-t", target, "--wasm", &module, "--dir", &given, "--", &name];
        let runs = daemon.runs(&flags, GUEST_RUNS)?;
        let errors = errors(&runs, "guest", &daemon.scratch().join(&name[1..]), since_1970)?;
        print(&format!("guest, of {target}"), f64::NAN, Unit::Ns, errors);
    }
    Ok(())
}

/// An instant less what the program itself wrote to `told`, which is ahead of it by `ahead`, run by run.
fn errors(runs: &[Value], instant: &str, told: &Path, ahead: f64) -> Result<Vec<f64>> {
    let text = fs::read_to_string(told).with_context(|| format!("cannot read {}", told.display()))?;
    let truths: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    // The daemon warms up first, and those runs have told their clock too.
    let truths = &truths[truths.len().saturating_sub(runs.len())..];
    ensure!(truths.len() == runs.len(), "{} lacks runs", told.display());
    let seen = runs
        .iter()
        .filter_map(|run| run["instants"][instant]["ns"].as_f64());
    Ok(seen
        .zip(truths)
        .map(|(seen, truth)| seen - (truth - ahead))
        .collect())
}

/// A clock in nanoseconds. A double holds those since 1970 to 256 ns.
fn now(clock: ClockId) -> Result<f64> {
    let now = clock_gettime(clock).with_context(|| format!("cannot read clock {clock}"))?;
    Ok(now.tv_sec() as f64 * 1e9 + now.tv_nsec() as f64)
}

fn report(daemon: &Daemon, truth: &Truth) -> Result<()> {
    let values = |args: &[&str]| -> Result<Vec<f64>> {
        let runs = daemon.measure(truth.program, args, truth.runs)?;
        Ok(runs
            .iter()
            .filter_map(|run| run["metrics"][truth.metric].as_f64())
            .collect())
    };
    let idle = truth.idle.map_or(Ok(0.0), |idle| values(idle).map(median))?;
    let errors: Vec<f64> = values(truth.args)?
        .iter()
        .map(|value| value - idle - truth.truth)
        .collect();
    let name = format!("{} of `{} {}`", truth.metric, truth.program, truth.args.join(" "));
    print(&name, truth.truth, truth.unit, errors);
    Ok(())
}

fn print(name: &str, truth: f64, unit: Unit, errors: Vec<f64>) {
    let runs = errors.len();
    if runs == 0 {
        return line(format!("{name:<42} not there"));
    }
    let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let tell = |value: f64| match unit {
        _ if value.is_nan() => "its own clock".to_owned(),
        Unit::Ns => format!("{:.2} us", value / 1e3),
        Unit::KiB => format!("{:.0} KiB", value / 1024.0),
        Unit::Count => format!("{value:.0}"),
    };
    line(format!(
        "{name:<42} {runs:>5} {:>14} {:>12} {:>12} {:>12}",
        tell(truth),
        tell(median(errors)),
        tell(sizes[(runs * 98 / 100).min(runs - 1)]),
        tell(sizes[runs - 1]),
    ));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
