//! `cargo xtask bench`: what the tool costs, in ratios taken in one run.
//!
//! Absolute times mean little on a shared machine. So the contenders take turns, round by round, on the same
//! program (a static one that exits at once), and what is printed are medians and their ratios, with the smallest and the
//! largest of the rounds; then what each tool says of the same programs ([`beside`]).

mod beside;
mod figures;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::daemon::Daemon;
use crate::progress::line;
use crate::tree::Tree;

/// Launches of each contender in each round.
const LAUNCHES: u32 = 2000;
/// Rounds; odd, so that there is a middle one.
const ROUNDS: usize = 5;
/// How long an idle daemon is watched.
const IDLE: Duration = Duration::from_secs(20);
/// How long after its last request a daemon counts as idle: its worker threads have ended by then.
const COOL_DOWN: Duration = Duration::from_secs(12);

/// Launches a second of each contender, round by round.
#[derive(Default)]
struct Rates {
    bare: Vec<f64>,
    wbd: Vec<f64>,
    hyperfine: Vec<f64>,
    perf: Vec<f64>,
}

/// Builds, starts a daemon, lets the contenders take turns, and prints the ratios.
pub(crate) fn run(tree: &Tree) -> Result<()> {
    let daemon = Daemon::with_programs(tree, "bench", true)?;
    let noop = daemon.program("noop");
    let noop = Path::new(&noop);
    let mut rates = Rates::default();
    for round in 1..=ROUNDS {
        line(format!("round {round} of {ROUNDS}: {LAUNCHES} launches each"));
        rates.bare.push(rate(&mut spawn_loop(noop))?);
        rates.wbd.push(rate(&mut || launch_with_wbd(&daemon, noop))?);
        rates
            .hyperfine
            .push(rate(&mut peer("hyperfine", hyperfine_args(noop)))?);
        rates.perf.push(rate(&mut peer("perf", perf_args(noop)))?);
    }
    report_rates(&rates);
    beside::report(&daemon)?;
    report_weight(&daemon)?;
    report_idle(daemon.pid())
}

/// Launches a second of one contender.
fn rate(launch_all: &mut impl FnMut() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    launch_all()?;
    Ok(f64::from(LAUNCHES) / begun.elapsed().as_secs_f64())
}

/// The standard library's `posix_spawn` and `wait`, one after the other.
fn spawn_loop(program: &Path) -> impl FnMut() -> Result<()> {
    move || {
        for _ in 0..LAUNCHES {
            let status = Command::new(program)
                .env_clear()
                .status()
                .context("cannot launch the no-op")?;
            ensure!(status.success(), "the no-op failed");
        }
        Ok(())
    }
}

fn launch_with_wbd(daemon: &Daemon, program: &Path) -> Result<()> {
    let launches = LAUNCHES.to_string();
    let mut command = daemon.wbctl();
    command
        .args(["run", "--warmup", "0", "-n", &launches, "--"])
        .arg(program);
    succeed(&mut command)
}

fn hyperfine_args(program: &Path) -> Vec<String> {
    let launches = LAUNCHES.to_string();
    ["-N", "--warmup", "0", "--runs", &launches]
        .map(String::from)
        .into_iter()
        .chain([program.display().to_string()])
        .collect()
}

fn perf_args(program: &Path) -> Vec<String> {
    let launches = LAUNCHES.to_string();
    ["stat", "-r", &launches]
        .map(String::from)
        .into_iter()
        .chain([program.display().to_string()])
        .collect()
}

fn peer(name: &'static str, args: Vec<String>) -> impl FnMut() -> Result<()> {
    move || succeed(Command::new(name).args(&args))
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.with_context(|| crate::shell::cannot_run(command))?;
    ensure!(
        status.success(),
        "{} ended with {status}",
        command.get_program().display()
    );
    Ok(())
}

fn report_rates(rates: &Rates) {
    let contenders = [
        ("bare posix_spawn loop", &rates.bare),
        ("wbctl run", &rates.wbd),
        ("hyperfine -N", &rates.hyperfine),
        ("perf stat -r", &rates.perf),
    ];
    for (name, of_rounds) in contenders {
        let [middle, least, most] = span(of_rounds.clone());
        line(format!(
            "{name:<24} {middle:>7.0} launches a second ({least:.0} to {most:.0})"
        ));
    }
    for (name, of_rounds) in [contenders[0], contenders[2], contenders[3]] {
        let ratios = rates.wbd.iter().zip(of_rounds).map(|(wbd, other)| wbd / other);
        let [middle, least, most] = span(ratios.collect());
        line(format!(
            "wbctl run against {name}: {middle:.2} ({least:.2} to {most:.2})"
        ));
    }
}

/// The median of the rounds, the smallest and the largest.
fn span(mut values: Vec<f64>) -> [f64; 3] {
    let middle = median(&mut values); // which sorts them
    [middle, values[0], values[values.len() - 1]]
}

/// What the daemon itself measures of its probes.
fn report_weight(daemon: &Daemon) -> Result<()> {
    let doctor = crate::shell::read(daemon.wbctl().arg("doctor"))?;
    for found in doctor.lines().filter(|found| {
        ["own weight", "probe hits"]
            .iter()
            .any(|name| found.contains(name))
    }) {
        line(found);
    }
    Ok(())
}

/// Memory and wake-ups of the daemon when nobody asks anything of it.
fn report_idle(pid: u32) -> Result<()> {
    sleep(COOL_DOWN);
    let before = switches(pid)?;
    sleep(IDLE);
    let woken = switches(pid)? - before;
    let resident = status_kib(&fs::read_to_string(format!("/proc/{pid}/status"))?, "VmRSS:");
    line(format!(
        "idle daemon: {} KiB resident, woken {woken} times in {} s",
        resident,
        IDLE.as_secs()
    ));
    Ok(())
}

/// Context switches of all threads of a process so far.
fn switches(pid: u32) -> Result<u64> {
    let tasks = format!("/proc/{pid}/task");
    let mut switches = 0;
    for task in fs::read_dir(&tasks)
        .with_context(|| format!("cannot list {tasks}"))?
        .flatten()
    {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default(); // it may have ended
        switches += status_kib(&status, "voluntary_ctxt_switches:");
        switches += status_kib(&status, "nonvoluntary_ctxt_switches:");
    }
    Ok(switches)
}

/// The number after a key of `/proc/PID/status`; 0 where it is not there.
fn status_kib(status: &str, key: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
