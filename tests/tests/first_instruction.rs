//! When the first instruction ran: against a program that reads the clock as its very first act.

use std::fs;

use wbd_model::{InstantName as I, Metric, Sample};
use wbd_tests::documents::{assert_in_order, cell, median, metric, ns};
use wbd_tests::{Home, process};

/// How long before the program's own figure its first instruction may be seen, in the median. A fault takes this
/// long under nested virtualisation on a busy machine; elsewhere it takes a tenth of it.
const EARLY_NS: u64 = 200_000;
/// How far the daemon's own figure of that may be off. It is a few hundred nanoseconds on a quiet machine.
const CALIBRATION_NS: u64 = 25_000;

/// Needs root.
#[test]
fn the_entry_is_never_seen_after_the_programs_first_act_and_seldom_long_before() {
    let home = Home::new();
    let _wbd = home.start();
    let told = home.text("told");
    let made = home.measure(&["-n", "200", "--warmup", "0", "--", &home.program("clock"), &told]);
    let told = fs::read_to_string(told).unwrap();
    let told: Vec<u64> = told.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(told.len(), made.cells[0].samples.len());
    let early = made.cells[0].samples.iter().zip(&told).map(|(sample, &told)| {
        let entry = ns(sample, I::Entry);
        assert_eq!(entry, ns(sample, I::Guest), "a native program is its own guest");
        told.checked_sub(entry)
            .unwrap_or_else(|| panic!("seen after {told}: {sample:#?}"))
    });
    let early = median(early);
    assert!(early <= EARLY_NS, "seen {early} ns early");
    let bias = made.machine.entry_bias.unwrap();
    assert!(bias.early_ns > 0 && bias.early_ns <= bias.p98_ns, "{bias:?}");
    assert!(
        early.abs_diff(bias.early_ns) <= CALIBRATION_NS,
        "seen {early} ns early, against {bias:?}"
    );
}

/// Needs root.
#[test]
fn every_run_passes_its_instants_in_order_and_its_metrics_are_the_times_between_them() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native", "-t", "native-dynamic", "-w", "empty", "-n", "50"]);
    let noop = home.measure(&["-n", "50", "--", &home.program("noop")]);
    for sample in made
        .cells
        .iter()
        .chain(&noop.cells)
        .flat_map(|cell| &cell.samples)
    {
        assert_in_order(
            sample,
            &[I::Launch, I::Exec, I::FirstUser, I::Entry, I::Guest, I::Exit],
        );
        assert_is_between(sample, Metric::Startup, I::Launch, I::Guest);
        assert_is_between(sample, Metric::Execution, I::Guest, I::Exit);
        assert_is_between(sample, Metric::Wall, I::Launch, I::Exit);
    }
}

fn assert_is_between(sample: &Sample, name: Metric, from: I, to: I) {
    assert_eq!(metric(sample, name), ns(sample, to) - ns(sample, from), "{name}");
}

/// A static program's first instruction is at its entry; a dynamic one's linker has work to do before.
///
/// Needs root.
#[test]
fn the_dynamic_linkers_work_lies_between_the_first_instruction_and_the_entry() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native", "-t", "native-dynamic", "-n", "30"]);
    let linking = |target: &str| {
        let samples = cell(&made, target).samples.iter();
        median(samples.map(|sample| ns(sample, I::Entry) - ns(sample, I::FirstUser)))
    };
    let (without, with) = (linking("native"), linking("native-dynamic"));
    assert!(
        with > 20 * without,
        "without a linker {without} ns, with one {with} ns"
    );
}

/// Where the linker maps the code along with the headers it reads, no fault shows the entry point: a probe does.
///
/// Needs root.
#[test]
fn the_entry_of_a_program_whose_code_the_linker_maps_is_seen_by_a_probe() {
    let home = Home::new();
    let _wbd = home.start();
    let told = home.text("told");
    let made = home.measure(&["-n", "30", "--warmup", "0", "--", &home.program("merged"), &told]);
    let told = fs::read_to_string(told).unwrap();
    let told: Vec<u64> = told.lines().map(|line| line.parse().unwrap()).collect();
    let samples = &made.cells[0].samples;
    assert_eq!(told.len(), samples.len());
    for (sample, &told) in samples.iter().zip(&told) {
        assert_in_order(sample, &[I::FirstUser, I::Entry, I::Guest, I::Exit]);
        assert!(ns(sample, I::Entry) < told, "seen after {told}: {sample:#?}");
        assert!(
            sample.instants[&I::Entry].method.contains("uprobe"),
            "{sample:#?}"
        );
    }
    let before = median(
        samples
            .iter()
            .zip(&told)
            .map(|(sample, told)| told - ns(sample, I::Entry)),
    );
    let linking = median(
        samples
            .iter()
            .map(|sample| ns(sample, I::Entry) - ns(sample, I::FirstUser)),
    );
    assert!(
        before < linking,
        "{before} ns from the entry to main, and {linking} ns from the first instruction to the entry"
    );
}

/// What runs before the first instruction that counts is the target's own `execve`, not the daemon's work: two
/// runs right after each other must not overlap.
///
/// Needs root.
#[test]
fn runs_follow_one_another_in_the_order_they_say() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native", "-t", "native-dynamic", "-n", "20"]);
    let mut samples: Vec<&Sample> = made.cells.iter().flat_map(|cell| &cell.samples).collect();
    samples.sort_by_key(|sample| sample.order);
    for pair in samples.windows(2) {
        assert_eq!(pair[0].order + 1, pair[1].order);
        assert!(ns(pair[0], I::Exit) < ns(pair[1], I::Launch), "{pair:#?}");
    }
}

/// The end of a target is told to the thread that launched it and to no other: its wake-up on another CPU would disturb
/// the next one. Needs root.
#[test]
fn the_daemons_event_loop_sleeps_while_targets_come_and_go() {
    let home = Home::new();
    let wbd = home.start();
    let waits = || -> u64 {
        process::status(wbd.pid())["voluntary_ctxt_switches"]
            .parse()
            .unwrap()
    };
    let noop = home.program("noop");
    let woken_by = |runs: &str| {
        let before = waits();
        home.measure(&["-n", runs, "--", &noop]);
        waits() - before
    };
    let (few, many) = (woken_by("10"), woken_by("1010"));
    assert!(
        many < few + 250,
        "woken {few} times by 10 runs, and {many} times by 1010"
    );
}
