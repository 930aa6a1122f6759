//! Engines that mark nothing, run as plain commands: what is concluded of them, against guests that read the clock.
//! The engine is Wasmtime, in a program of which the daemon does not know here that it is a runner.

use std::fs::{self, File};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use wbd_model::{Confidence, Experiment, InstantName as I, Metric, Sample};
use wbd_tests::Home;
use wbd_tests::documents::ns;

/// How long before its first act a guest's first instruction may be seen: the C library's own start lies between.
const NEAR_NS: u64 = 20_000_000;

/// Runs `first_act` under the engine; its runs, with the instants that the guests told, of `CLOCK_MONOTONIC`.
fn first_acts(home: &Home, mode: &str, module: &str) -> Vec<(Sample, u64)> {
    let there = format!("{}::/there", home.path("").display());
    let engine = [
        &home.runner("wasmtime"),
        "run",
        "--mode",
        mode,
        "--dir",
        &there,
        module,
    ];
    let made = home.measure(&[&["-n", "20", "--"], &engine[..], &["--", "/there/told"]].concat());
    let told = fs::read_to_string(home.path("told")).expect("the guests wrote it");
    let since = realtime_ahead_ns();
    let told: Vec<u64> = told
        .lines()
        .map(|line| line.parse::<u64>().unwrap() - since)
        .collect();
    let samples = made.cells.into_iter().next().expect("one cell").samples;
    // Warm-up runs told theirs, too.
    let told = told[told.len() - samples.len()..].to_vec();
    samples.into_iter().zip(told).collect()
}

/// How far CLOCK_REALTIME is ahead of CLOCK_MONOTONIC.
fn realtime_ahead_ns() -> u64 {
    let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let monotonic = std::time::Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap());
    u64::try_from((real - monotonic).as_nanos()).unwrap()
}

fn confidence(sample: &Sample, name: I) -> Option<Confidence> {
    sample.instants[&name].confidence
}

/// Makes machine code of a module beforehand.
fn compiled(home: &Home, module: &str) -> String {
    let code = home.text("module.cwasm");
    let mut compile = Command::new(home.runner("wasmtime"));
    let file = File::create(&code).expect("a file of ours");
    let status = compile.args(["compile", module]).stdout(file).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "the module cannot be compiled"
    );
    code
}

/// Needs root.
#[test]
fn the_start_of_a_guest_compiled_before_is_seen_itself() {
    let home = Home::new();
    let _wbd = home.start();
    let code = compiled(&home, &home.program("first_act.wasm"));
    for (sample, told) in first_acts(&home, "aot", &code) {
        assert_eq!(confidence(&sample, I::Guest), None);
        assert_eq!(confidence(&sample, I::ModuleReady), Some(Confidence::Inferred));
        assert!(ns(&sample, I::Entry) < ns(&sample, I::ModuleReady));
        assert!(ns(&sample, I::ModuleReady) < ns(&sample, I::Guest));
        let early = told
            .checked_sub(ns(&sample, I::Guest))
            .expect("never after its first act");
        assert!(early < NEAR_NS, "seen {early} ns before its first act");
    }
}

/// Needs root.
#[test]
fn a_guest_compiled_in_the_run_began_no_later_than_its_first_output() {
    let home = Home::new();
    let _wbd = home.start();
    let module = home.program("first_act.wasm");
    for (sample, told) in first_acts(&home, "jit", &module) {
        assert_eq!(confidence(&sample, I::Guest), Some(Confidence::UpperBound));
        assert!(
            told < ns(&sample, I::Guest),
            "its first output is later than its first act"
        );
        assert!(ns(&sample, I::Entry) < ns(&sample, I::ModuleReady));
        assert!(
            ns(&sample, I::ModuleReady) < told,
            "the code was there before it ran"
        );
        assert!(
            sample.notes.iter().any(|note| note.contains("upper bound")),
            "{:?}",
            sample.notes
        );
    }
}

/// Needs root.
#[test]
fn a_guest_that_shows_nothing_of_itself_has_no_start() {
    let home = Home::new();
    let _wbd = home.start();
    let silent = home.program("exit_code.wasm");
    let engine = [
        &home.runner("wasmtime"),
        "run",
        "--mode",
        "jit",
        &silent,
        "--",
        "0",
    ];
    let made: Experiment = home.measure(&[&["-n", "3", "--"], &engine[..]].concat());
    let cell = &made.cells[0];
    assert!(!cell.metrics.contains_key(&Metric::Startup), "{:?}", cell.metrics);
    assert!(
        cell.unavailable[&Metric::Startup].contains("printed nothing"),
        "{:?}",
        cell.unavailable
    );
    assert!(cell.metrics.contains_key(&Metric::Wall));
}
