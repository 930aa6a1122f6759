//! The same program by each tool in the same minutes: with the machine to itself, and beside a hog on each CPU.
//!
//! Tools take turns in rounds, so that all meet the same machine. What is told of each is its median and its two spreads;
//! that of hyperfine and `perf stat` is the time from outside, wbctl's is `wall` from `execve` to exit, and `net_wall`,
//! which is without waiting for a CPU, interrupts and theft.

use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use serde_json::Value;

use super::figures::{self, Figures};
use crate::daemon::Daemon;
use crate::progress::line;

/// Rounds; each has this many turns of every tool.
const ROUNDS: u32 = 3;

/// A program to time, and how often in each turn.
struct Subject {
    name: &'static str,
    /// What `wbctl run` is told.
    flags: Vec<String>,
    /// The same as a command.
    command: Vec<String>,
    runs: u32,
}

/// What the tools tell of a subject: `wall`, `net_wall`, hyperfine, `perf stat`.
type Told = [Figures; 4];
const TOOLS: [&str; 4] = ["wbctl wall", "wbctl net_wall", "hyperfine -N", "perf stat -r"];

/// Prints the table.
pub(super) fn report(daemon: &Daemon) -> Result<()> {
    for subject in [no_op(daemon), computation(daemon)?] {
        let quiet = measure(daemon, &subject)?;
        let hogs = Hogs::on_every_cpu(&daemon.program("spin"))?;
        let busy = measure(daemon, &subject)?;
        drop(hogs);
        print(subject.name, &quiet, &busy);
    }
    Ok(())
}

/// The program that exits at once.
fn no_op(daemon: &Daemon) -> Subject {
    let command = vec![daemon.program("noop")];
    Subject {
        name: "the static no-op",
        flags: [&["--".to_owned()][..], command.as_slice()].concat(),
        command,
        runs: 300,
    }
}

/// A computation of some milliseconds that never waits.
fn computation(daemon: &Daemon) -> Result<Subject> {
    let flags = ["-t", "native", "-w", "spectralnorm", "--size", "small"].map(String::from);
    daemon.runs(&flags.each_ref().map(String::as_str), 1)?;
    let document = daemon.latest()?;
    let args = document["cells"][0]["args"]
        .as_array()
        .context("a cell has arguments")?;
    let args = args.iter().filter_map(Value::as_str).map(String::from);
    let command = [daemon.workload("spectralnorm")].into_iter().chain(args);
    Ok(Subject {
        name: "spectralnorm, size small",
        flags: flags.into(),
        command: command.collect(),
        runs: 40,
    })
}

fn measure(daemon: &Daemon, subject: &Subject) -> Result<Told> {
    let flags: Vec<&str> = subject.flags.iter().map(String::as_str).collect();
    let [mut wall, mut net, mut outside] = [(); 3].map(|()| Vec::new());
    let (mut means, mut deviations) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let runs = daemon.runs(&flags, subject.runs)?;
        let of = |metric: &str| {
            let metric = metric.to_owned();
            runs.iter()
                .filter_map(move |run| run["metrics"][&metric].as_f64())
        };
        wall.extend(of("wall"));
        net.extend(of("net_wall"));
        outside.extend(figures::hyperfine(
            &subject.command,
            subject.runs,
            daemon.scratch(),
        )?);
        let (mean, deviation) = figures::perf(&subject.command, subject.runs)?;
        means.push(mean);
        deviations.push(deviation);
    }
    let perf = Figures {
        median: None,
        mean: super::median(&mut means),
        quartiles: None,
        deviation: super::median(&mut deviations),
    };
    Ok([Figures::of(wall)?, Figures::of(net)?, Figures::of(outside)?, perf])
}

fn print(name: &str, quiet: &Told, busy: &Told) {
    line(format!(
        "{name}: with the machine to itself, and beside a hog on each CPU (IQR/median; deviation/mean)"
    ));
    for (tool, (quiet, busy)) in TOOLS.iter().zip(quiet.iter().zip(busy)) {
        let moved = match (quiet.median, busy.median) {
            (Some(quiet), Some(busy)) => format!("median {:+.1} %", (busy / quiet - 1.0) * 100.0),
            _ => format!("mean {:+.1} %", (busy.mean / quiet.mean - 1.0) * 100.0),
        };
        line(format!("  {tool:<16} {}   {}   {moved}", told(quiet), told(busy)));
    }
    let [_, net, hyperfine, perf] = busy;
    let against = |spread: f64, ours: f64| format!("{:.2}", ours / spread);
    let quartiles = hyperfine.quartiles.zip(net.quartiles);
    line(format!(
        "  beside hogs net_wall's IQR/median is {} of the deviation hyperfine prints, {} of the one of perf stat, {} of the IQR/median of \
         hyperfine's times",
        net.quartiles
            .map_or_else(String::new, |ours| against(hyperfine.deviation, ours)),
        net.quartiles
            .map_or_else(String::new, |ours| against(perf.deviation, ours)),
        quartiles.map_or_else(String::new, |(theirs, ours)| against(theirs, ours)),
    ));
}

fn told(figures: &Figures) -> String {
    let middle = figures.median.unwrap_or(figures.mean) / 1e3;
    let quartiles = figures
        .quartiles
        .map_or_else(|| "    ".to_owned(), |share| format!("{share:.3}"));
    format!("{middle:>10.1} us ({quartiles:>5}; {:.3})", figures.deviation)
}

/// Processes that spin, one pinned to each CPU. Dropping them ends them.
struct Hogs(Vec<Child>);

impl Hogs {
    fn on_every_cpu(spin: &str) -> Result<Self> {
        let mut hogs = Self(Vec::new());
        for cpu in 0..available_parallelism().map_or(1, |cpus| cpus.get()) {
            let mut hog = Command::new("taskset");
            hog.args(["-c", &cpu.to_string(), spin, "600000"]);
            let started = hog.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            hogs.0
                .push(started.with_context(|| crate::shell::cannot_run(&hog))?);
        }
        Ok(hogs)
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = hog.kill(); // it ends by itself in ten minutes
            let _ = hog.wait();
        }
    }
}
