//! What this machine's kernel can do is done, and what it cannot is said: above a version and below it, on either
//! architecture. What a kernel has is asked of the kernel itself here, not of the daemon.

use std::fs;
use std::path::Path;

use nix::sys::utsname::uname;
use wbd_model::{Cell, InstantName as I, Metric};
use wbd_tests::Home;
use wbd_tests::documents::p50;

/// From this release on a process still has its memory when its end is reported.
const MAP_KEPT_SINCE: (u32, u32) = (6, 16);
const MIB: u64 = 1 << 20;

/// The first two numbers of the running kernel's release.
fn release() -> (u32, u32) {
    let name = uname().expect("the kernel has a name");
    let release = name.release().to_str().expect("a release is text");
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    let mut number = || numbers.next().and_then(|digits| digits.parse().ok());
    (
        number().expect("a release begins with a number"),
        number().expect("a release has two"),
    )
}

fn has_kprobes() -> bool {
    Path::new("/sys/bus/event_source/devices/kprobe").is_dir()
}

/// Whether the processor counts: x86 calls its counters `cpu`, or `cpu_core` and the like, arm64 `armv8` and more.
fn has_pmu() -> bool {
    let devices = fs::read_dir("/sys/bus/event_source/devices").expect("the kernel has perf events");
    let mut names = devices.flatten().map(|device| device.file_name());
    names.any(|name| {
        let name = name.to_string_lossy();
        name.starts_with("cpu") || name.starts_with("armv8")
    })
}

fn has_v1_memory() -> bool {
    let mounts = fs::read_to_string("/proc/mounts").expect("/proc is mounted");
    mounts.lines().any(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        fields[2] == "cgroup" && fields[3].split(',').any(|option| option == "memory")
    })
}

/// The reason a cell gives for a metric that it must not have.
#[track_caller]
fn absent(cell: &Cell, name: Metric) -> &str {
    assert!(!cell.metrics.contains_key(&name), "{name} is there: {cell:#?}");
    let why = cell.unavailable.get(&name);
    why.unwrap_or_else(|| panic!("no reason for {name}: {cell:#?}"))
}

#[track_caller]
fn measured(home: &Home, command: &[&str]) -> Cell {
    home.measure(&[&["-n", "5", "--"], command].concat())
        .cells
        .remove(0)
}

/// Needs root.
#[test]
fn the_peak_of_resident_memory_is_there_from_6_16_on_and_before_by_a_kprobe() {
    let home = Home::new();
    let _wbd = home.start();
    let touch = measured(&home, &[&home.program("touch"), "64"]);
    if release() >= MAP_KEPT_SINCE || has_kprobes() {
        let peak = p50(&touch, Metric::RssPeak);
        assert!((64 * MIB..68 * MIB).contains(&peak), "{peak}");
    } else {
        let why = absent(&touch, Metric::RssPeak);
        assert!(why.contains("6.16") && why.contains("kprobe"), "{why}");
    }
}

/// Needs root.
#[test]
fn the_peak_of_a_cgroups_memory_is_there_from_5_19_on_and_with_version_1() {
    let home = Home::new();
    let _wbd = home.start();
    let touch = measured(&home, &[&home.program("touch"), "64"]);
    if has_v1_memory() || release() >= (5, 19) {
        let peak = p50(&touch, Metric::CgroupPeak);
        assert!((63 * MIB..72 * MIB).contains(&peak), "{peak}");
    } else {
        let why = absent(&touch, Metric::CgroupPeak);
        assert!(why.contains("5.19"), "{why}");
    }
}

/// Needs root.
#[test]
fn the_first_instruction_is_told_with_the_method_of_the_architecture() {
    let home = Home::new();
    let _wbd = home.start();
    let method = if cfg!(target_arch = "aarch64") {
        "instruction-fetch fault, software event page-faults"
    } else {
        "instruction-fetch fault, tracepoint exceptions:page_fault_user"
    };
    for sample in &measured(&home, &[&home.program("noop")]).samples {
        for name in [I::FirstUser, I::Entry] {
            assert_eq!(sample.instants[&name].method, method, "{name}");
        }
    }
}

/// Passes through a loop of two instructions: what it costs besides is the same however often. A part in a hundred is
/// for what the kernel does meanwhile: it counts too.
///
/// Needs root.
#[test]
fn hardware_counters_count_loops_of_known_length_or_are_explained() {
    const PASSES: u64 = 20_000_000;
    let home = Home::new();
    let _wbd = home.start();
    let program = home.program("loop");
    let of = |passes: u64| measured(&home, &[&program, &passes.to_string()]);
    let (short, long) = (of(PASSES), of(2 * PASSES));
    if has_pmu() {
        let more = p50(&long, Metric::Instructions) - p50(&short, Metric::Instructions);
        let expected = 2 * PASSES;
        assert!(
            more.abs_diff(expected) <= expected / 100,
            "{more} instead of {expected}"
        );
        assert!(p50(&short, Metric::Cycles) > 0);
    } else {
        for name in [Metric::Instructions, Metric::Cycles] {
            let why = absent(&short, name);
            assert!(why.contains("no such hardware counter"), "{why}");
        }
    }
}
