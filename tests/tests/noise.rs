//! Interference is named, and taken out of the times: against programs that know theirs, and beside hogs.

use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use wbd_model::{Cell, Metric};
use wbd_tests::Home;
use wbd_tests::documents::{metric, p50};

/// Other work on the machine leaves caches cold, which no correction takes out: the best of so many counts.
const ATTEMPTS: usize = 4;
/// By how much a median may differ from the one without hogs.
const DRIFT: f64 = 0.10;

/// Processes that spin, one pinned to each CPU. Dropping them ends them.
struct Hogs(Vec<Child>);

impl Hogs {
    fn on_every_cpu(home: &Home) -> Self {
        let mut hogs = Self(Vec::new()); // of which one that panics ends the others
        for cpu in 0..available_parallelism().unwrap().get() {
            hogs.0.push(hog(home, cpu));
        }
        hogs
    }
}

fn hog(home: &Home, cpu: usize) -> Child {
    let spins = Command::new(home.program("spin"))
        .arg("600000")
        .stdout(Stdio::null())
        .spawn();
    let spins = spins.unwrap();
    let mut here = CpuSet::new();
    here.set(cpu).unwrap();
    sched_setaffinity(Pid::from_raw(spins.id().cast_signed()), &here).unwrap();
    spins
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}

/// From the first quartile to the third, as a part of the median.
fn quartile_spread(cell: &Cell, name: Metric) -> f64 {
    let mut values: Vec<u64> = cell.samples.iter().map(|sample| metric(sample, name)).collect();
    values.sort_unstable();
    let at = |quarters: usize| values[values.len() * quarters / 4] as f64;
    (at(3) - at(1)) / at(2)
}

/// The standard deviation as a part of the mean: the spread that is usually printed.
fn deviation(cell: &Cell, name: Metric) -> f64 {
    let values: Vec<f64> = cell
        .samples
        .iter()
        .map(|sample| metric(sample, name) as f64)
        .collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    variance.sqrt() / mean
}

/// What beside hogs is left of the spread, and by how much the median differs from the quiet machine's.
struct Corrected {
    left: f64,
    drift: f64,
}

fn beside_hogs(home: &Home, request: &[&str]) -> Corrected {
    let measure = || home.measure(request).cells.remove(0);
    let quiet = measure();
    let hogs = Hogs::on_every_cpu(home);
    let busy = measure();
    drop(hogs);
    let [before, after] = [&quiet, &busy].map(|cell| p50(cell, Metric::NetWall) as f64);
    let corrected = Corrected {
        left: quartile_spread(&busy, Metric::NetWall) / deviation(&busy, Metric::Wall),
        drift: (after / before - 1.0).abs(),
    };
    println!(
        "{request:?}: wall {:.3} (quartiles {:.3}), net {:.3}; net median {before} ns quiet, {after} ns beside hogs",
        deviation(&busy, Metric::Wall),
        quartile_spread(&busy, Metric::Wall),
        quartile_spread(&busy, Metric::NetWall),
    );
    corrected
}

#[track_caller]
fn assert_corrected(request: &[&str]) {
    let home = Home::new();
    let _wbd = home.start();
    let good = |corrected: Corrected| corrected.left <= 1.0 / 3.0 && corrected.drift <= DRIFT;
    let command: Vec<String> = request
        .iter()
        .map(|&word| word.replace("NOOP", &home.program("noop")))
        .collect();
    let request: Vec<&str> = command.iter().map(String::as_str).collect();
    assert!(
        (0..ATTEMPTS).any(|_| good(beside_hogs(&home, &request))),
        "interference was not taken out in {ATTEMPTS} attempts"
    );
}

/// Needs root.
#[test]
fn a_no_op_beside_hogs_keeps_its_net_time() {
    assert_corrected(&["-n", "300", "--", "NOOP"]);
}

/// Needs root.
#[test]
fn a_computation_beside_hogs_keeps_its_net_time() {
    assert_corrected(&[
        "-t",
        "native",
        "-w",
        "spectralnorm",
        "--size",
        "small",
        "-n",
        "20",
    ]);
}

/// Needs root.
#[test]
fn waiting_is_told_by_phase_and_adds_up() {
    let home = Home::new();
    let _wbd = home.start();
    let _hogs = Hogs::on_every_cpu(&home);
    let made = home.measure(&["-n", "5", "--", &home.program("spin"), "50"]);
    for sample in &made.cells[0].samples {
        let of = |name| metric(sample, name);
        assert_eq!(
            of(Metric::StartupWait) + of(Metric::ExecutionWait),
            of(Metric::RunqueueWait)
        );
        assert!(
            of(Metric::ExecutionWait) > 10_000_000,
            "half of a CPU is not all of it: {sample:#?}"
        );
        let net = of(Metric::NetWall) + of(Metric::InterruptTime);
        assert!(
            net.abs_diff(50_000_000) < 3_000_000,
            "50 ms were burnt: {sample:#?}"
        );
    }
}

/// Needs root.
#[test]
fn each_sleep_is_a_voluntary_switch() {
    let home = Home::new();
    let _wbd = home.start();
    let naps = |number| {
        let made = home.measure(&["-n", "5", "--", &home.program("naps"), number]);
        p50(&made.cells[0], Metric::VoluntarySwitches)
    };
    assert_eq!(naps("50") - naps("0"), 50);
}

/// Needs root.
#[test]
fn a_page_that_must_be_read_is_a_major_fault() {
    let home = Home::new();
    let _wbd = home.start();
    let file = home.file("page", &"x".repeat(8192), 0o644);
    let made = home.measure(&["-n", "5", "--", &home.program("reread"), &file]);
    let faults = &made.cells[0].metrics[&Metric::MajorFaults];
    assert!(faults.min >= 1, "{faults:?}");
    let none = home.measure(&["-n", "5", "--", &home.program("noop")]);
    assert_eq!(p50(&none.cells[0], Metric::MajorFaults), 0);
}

/// Needs root.
#[test]
fn processes_and_threads_made_are_counted() {
    let home = Home::new();
    let _wbd = home.start();
    for (program, processes, threads) in [("forks", 20, 0), ("threads", 0, 20)] {
        let made = home.measure(&["-n", "3", "--", &home.program(program), "20"]);
        let counted = [Metric::Processes, Metric::Threads].map(|name| p50(&made.cells[0], name));
        assert_eq!(counted, [processes, threads], "{program}");
    }
}
