//! Interference is named, and taken out of the times: against programs that know theirs, and beside hogs.

use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;
use std::time::Instant;

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
    /// `spin` is the test's one copy of the program: it cannot be copied over while it runs.
    fn on_every_cpu(spin: &str) -> Self {
        let mut hogs = Self(Vec::new()); // which ends them also where the next cannot be started
        for cpu in 0..available_parallelism().unwrap().get() {
            hogs.add(spin, cpu);
        }
        hogs
    }

    fn add(&mut self, spin: &str, cpu: usize) {
        let [out, err] = [(); 2].map(|()| Stdio::null());
        let child = Command::new(spin).arg("600000").stdout(out).stderr(err).spawn();
        let pid = child.as_ref().map(Child::id).unwrap();
        self.0.push(child.unwrap());
        let mut here = CpuSet::new();
        here.set(cpu).unwrap();
        sched_setaffinity(Pid::from_raw(pid.cast_signed()), &here).unwrap();
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}

/// How far values lie from their mean: the spread that is usually printed.
fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    variance.sqrt()
}

fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The values of a metric in all runs of a cell.
fn values(cell: &Cell, name: Metric) -> Vec<f64> {
    let samples = cell.samples.iter();
    samples.map(|sample| metric(sample, name) as f64).collect()
}

/// What one gets who starts a program, waits for it and looks at the clock: nanoseconds.
fn by_the_clock(program: &str, runs: usize) -> Vec<f64> {
    let run = || {
        let begin = Instant::now();
        assert!(Command::new(program).status().unwrap().success());
        begin.elapsed().as_nanos() as f64
    };
    (0..runs).map(|_| run()).collect()
}

/// The cell of a request beside hogs.
fn beside_hogs(home: &Home, request: &[&str]) -> Cell {
    let _hogs = Hogs::on_every_cpu(&home.program("spin"));
    home.measure(request).cells.remove(0)
}

/// Each spread is a part of the same figure's median on the quiet machine: hogs lengthen the median of whoever goes by the
/// clock ten times, which would make his spread look small.
///
/// Needs root.
#[test]
fn a_no_op_beside_hogs_spreads_a_third_of_what_the_clock_shows() {
    const RUNS: usize = 300;
    let home = Home::new();
    let _wbd = home.start();
    let noop = home.program("noop");
    let spin = home.program("spin");
    let net = || {
        values(
            &home.measure(&["-n", "300", "--", &noop]).cells[0],
            Metric::NetWall,
        )
    };
    let quiet = [middle(&by_the_clock(&noop, RUNS)), middle(&net())];
    let spreads = || {
        let _hogs = Hogs::on_every_cpu(&spin);
        let busy = [by_the_clock(&noop, RUNS), net()];
        [0, 1].map(|which| deviation(&busy[which]) / quiet[which])
    };
    let tried: Vec<[f64; 2]> = (0..ATTEMPTS).map(|_| spreads()).collect();
    assert!(
        tried.iter().any(|[clock, net]| net * 3.0 <= *clock),
        "clock, net: {tried:?}"
    );
}

/// Needs root.
#[test]
fn a_computation_beside_hogs_keeps_its_net_time() {
    let home = Home::new();
    let _wbd = home.start();
    let request = [
        "-t",
        "native",
        "-w",
        "spectralnorm",
        "--size",
        "small",
        "-n",
        "20",
    ];
    let drift = || {
        let quiet = p50(&home.measure(&request).cells[0], Metric::NetWall) as f64;
        let busy = p50(&beside_hogs(&home, &request), Metric::NetWall) as f64;
        (busy / quiet - 1.0).abs()
    };
    let tried: Vec<f64> = (0..ATTEMPTS).map(|_| drift()).collect();
    assert!(tried.iter().any(|drift| *drift <= DRIFT), "{tried:?}");
}

/// Needs root.
#[test]
fn waiting_is_told_by_phase_and_adds_up() {
    let home = Home::new();
    let _wbd = home.start();
    let spin = home.program("spin");
    let _hogs = Hogs::on_every_cpu(&spin);
    let made = home.measure(&["-n", "5", "--", &spin, "50"]);
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
        // Whether theft hit the waiting or the work is not known: so much may be taken out too much or too little.
        let stolen = sample.metrics.get(&Metric::Steal).copied().unwrap_or(0);
        assert!(
            net.abs_diff(50_000_000) < 3_000_000 + stolen,
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
