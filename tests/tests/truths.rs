//! Metrics against programs that know their own truth.

use wbd_model::{Cell, Metric};
use wbd_tests::Home;
use wbd_tests::documents::{metric, p50};

const MIB: u64 = 1 << 20;

/// The only cell of `runs` runs of a command.
#[track_caller]
fn measured(home: &Home, runs: &str, command: &[&str]) -> Cell {
    home.measure(&[&["-n", runs, "--"], command].concat())
        .cells
        .remove(0)
}

#[track_caller]
fn assert_near(what: &str, found: u64, truth: u64, tolerance: u64) {
    assert!(
        found.abs_diff(truth) <= tolerance,
        "{what}: {found}, and the truth is {truth}"
    );
}

/// A child of a daemon is not as large as the daemon. Needs root.
#[test]
fn the_peak_of_a_tiny_program_is_its_own() {
    let home = Home::new();
    let _wbd = home.start();
    let noop = measured(&home, "20", &[&home.program("noop")]);
    assert!(noop.metrics[&Metric::RssPeak].max < 2_500_000, "{noop:#?}");
    let empty = home.measure(&["-t", "native", "-n", "20"]);
    assert!(
        empty.cells[0].metrics[&Metric::RssPeak].max < 2_500_000,
        "{empty:#?}"
    );
}

/// The goal is 128 KiB. Needs root.
#[test]
fn the_peak_of_resident_memory_is_what_was_touched_of_whatever_kind() {
    let home = Home::new();
    let _wbd = home.start();
    let touch = home.program("touch");
    let peak = |args: &[&str]| {
        let command = [&[touch.as_str()], args].concat();
        p50(&measured(&home, "5", &command), Metric::RssPeak)
    };
    let base = peak(&["0"]);
    for mib in [1, 64, 512] {
        let what = format!("rss_peak of {mib} MiB");
        assert_near(&what, peak(&[&mib.to_string()]), base + mib * MIB, 128 * 1024);
    }
    for kind in ["shared", "huge"] {
        assert_near(kind, peak(&["64", kind]), base + 64 * MIB, 128 * 1024);
    }
}

/// Needs root.
#[test]
fn a_childs_memory_is_the_cgroups_and_not_the_root_processs() {
    let home = Home::new();
    let _wbd = home.start();
    let child = measured(&home, "5", &[&home.program("touch"), "64", "child"]);
    assert!(p50(&child, Metric::RssPeak) < 4 * MIB, "{child:#?}");
    assert_near("cgroup_peak", p50(&child, Metric::CgroupPeak), 64 * MIB, 2 * MIB);
}

/// The kernel charges a cgroup in batches, so the figure is known to some hundred KiB. Needs root.
#[test]
fn the_peak_of_the_cgroups_memory_is_what_was_touched_and_a_little_more() {
    let home = Home::new();
    let _wbd = home.start();
    let touched = measured(&home, "5", &[&home.program("touch"), "64"]);
    let peaks = &touched.metrics[&Metric::CgroupPeak];
    assert!(peaks.min >= 63 * MIB && peaks.max < 72 * MIB, "{peaks:?}");
}

/// Needs root.
#[test]
fn a_small_run_after_a_large_one_does_not_inherit_its_peaks() {
    let home = Home::new();
    let _wbd = home.start();
    let touch = home.program("touch");
    let script =
        format!("#!/bin/sh\nif test -e $1; then exec {touch} 0; else touch $1; exec {touch} 200; fi\n");
    let once_large = home.file("once_large", &script, 0o755);
    let made = home.measure(&["-n", "3", "--warmup", "0", "--", &once_large, &home.text("flag")]);
    let [large, small, _] = made.cells[0].samples.as_slice() else {
        panic!("{made:#?}")
    };
    for name in [Metric::RssPeak, Metric::CgroupPeak] {
        let (large, small) = (metric(large, name), metric(small, name));
        assert!(
            large >= 200 * MIB && small < 20 * MIB,
            "{name}: {large}, then {small}"
        );
    }
}

/// Needs root.
#[test]
fn cpu_time_is_what_was_burned() {
    let home = Home::new();
    let _wbd = home.start();
    let spin = measured(&home, "5", &[&home.program("spin"), "200"]);
    assert_near("cpu_time", p50(&spin, Metric::CpuTime), 200_000_000, 2_000_000); // the goal is 1 %
    for sample in &spin.samples {
        let parts = [Metric::CpuTime, Metric::RunqueueWait, Metric::OffCpu].map(|part| metric(sample, part));
        let wall = metric(sample, Metric::Wall);
        assert_near("cpu + run queue + off cpu", parts.iter().sum(), wall, wall / 50);
    }
}

/// Needs root.
#[test]
fn time_asleep_is_neither_cpu_time_nor_waiting_for_a_cpu() {
    let home = Home::new();
    let _wbd = home.start();
    let sleep = measured(&home, "5", &["/bin/sleep", "0.2"]);
    assert_near("off_cpu", p50(&sleep, Metric::OffCpu), 200_000_000, 10_000_000);
    assert!(p50(&sleep, Metric::CpuTime) < 20_000_000, "{sleep:#?}");
}

/// Needs root.
#[test]
fn page_faults_are_the_pages_touched() {
    let home = Home::new();
    let _wbd = home.start();
    let touch = home.program("touch");
    let faults = |mib: &str| p50(&measured(&home, "5", &[&touch, mib]), Metric::PageFaults);
    assert_near("page_faults", faults("32") - faults("0"), 32 * 256, 4);
}

/// A parent that forks and reaps switches away and back at least once for each child; its children's CPU time,
/// faults and switches are the run's.
///
/// Needs root.
#[test]
fn children_are_part_of_the_run() {
    let home = Home::new();
    let _wbd = home.start();
    let forks = home.program("forks");
    let [none, many] = ["0", "200"].map(|number| measured(&home, "5", &[&forks, number]));
    let more = |name| p50(&many, name) - p50(&none, name);
    assert!(more(Metric::ContextSwitches) >= 200, "{many:#?}");
    assert!(more(Metric::PageFaults) >= 200, "{many:#?}");
    assert!(more(Metric::CpuTime) >= 200 * 10_000, "{many:#?}");
}

/// Needs root.
#[test]
fn threads_are_part_of_the_run() {
    let home = Home::new();
    let _wbd = home.start();
    let threads = home.program("threads");
    let [none, many] = ["0", "200"].map(|number| measured(&home, "5", &[&threads, number]));
    assert!(
        p50(&many, Metric::ContextSwitches) >= p50(&none, Metric::ContextSwitches) + 200,
        "{many:#?}"
    );
}

/// A program that works and never waits is switched away only by others. Needs root.
#[test]
fn a_program_that_never_waits_hardly_switches() {
    let home = Home::new();
    let _wbd = home.start();
    let noop = measured(&home, "50", &[&home.program("noop")]);
    assert!(p50(&noop, Metric::ContextSwitches) <= 2, "{noop:#?}");
    assert!(p50(&noop, Metric::OffCpu) < 50_000, "{noop:#?}");
}

/// Ten thousand system calls, each some microseconds with a reader at the pipe's other end, against one. Needs root.
#[test]
fn a_variant_of_a_workload_writes_the_same_by_more_system_calls() {
    let home = Home::new();
    let _wbd = home.start();
    let ways = ["-w", "fasta-block", "-w", "fasta-line", "-w", "fasta-char"];
    let made = home.measure(&[&["-t", "native", "--size", "check", "-n", "10"], &ways[..]].concat());
    for cell in &made.cells {
        assert_eq!(
            (cell.valid, cell.failed),
            (10, 0),
            "its output is checked: {cell:#?}"
        );
    }
    let [block, line, char] = [0, 1, 2].map(|way: usize| p50(&made.cells[way], Metric::Execution));
    assert!(
        2 * line > block && char > 2 * line,
        "{block}, {line} and {char} ns"
    );
    home.wbctl(&["run", "-t", "native", "-w", "fasta-word"])
        .expect(2)
        .saying(&["no workload is called `fasta-word`"]);
}
