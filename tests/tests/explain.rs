//! Pairs with one planted cause each: it is ranked first, and no other layer is blamed.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use wbd_model::explanation::{CauseKind, Explanation};
use wbd_model::{Anomalies, Metric};
use wbd_tests::Home;

/// Records both commands and explains the first by the second.
fn explained(home: &Home, a: &[&str], b: &[&str]) -> Explanation {
    let record = |command: &[&str]| {
        let made = home.measure(&[&["-n", "3", "--"], command].concat());
        format!("{}:0", made.experiment)
    };
    let (a, b) = (record(a), record(b));
    home.wbctl(&["--json", "explain", &a, &b]).expect(0).json()
}

/// The planted cause comes first, carries most, and adds up with the rest.
fn assert_first(found: &Explanation, planted: CauseKind) {
    let first = found
        .causes
        .first()
        .unwrap_or_else(|| panic!("no cause: {found:#?}"));
    assert_eq!(first.kind, planted, "{found:#?}");
    assert!(first.share > 0.5, "{found:#?}");
    let sum: f64 = found.causes.iter().map(|cause| cause.share).sum();
    assert!((sum + found.unattributed - 1.0).abs() < 0.001, "{found:#?}");
    assert!(found.unattributed.abs() < 0.15, "{found:#?}");
}

/// A test program with its arguments.
fn command<'a>(program: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    [&[program], args].concat()
}

/// Explains a test program by itself with other arguments.
fn planted(program: &str, a: &[&str], b: &[&str], kind: CauseKind) -> Explanation {
    let home = Home::new();
    let _wbd = home.start();
    let program = home.program(program);
    let found = explained(&home, &command(&program, a), &command(&program, b));
    assert_first(&found, kind);
    found
}

/// Needs root.
#[test]
fn many_small_writes_are_system_calls_and_counted_to_the_last() {
    let found = planted("writes", &["200000"], &["200"], CauseKind::Syscalls);
    let cause = &found.causes[0];
    assert!(
        cause
            .text
            .contains("200,000 calls of write against 200, 200,000 bytes"),
        "{}",
        cause.text
    );
    assert!(cause.confirmed, "{found:#?}");
}

/// Needs root.
#[test]
fn a_lock_fought_over_is_waiting_for_another_thread() {
    let found = planted("fights", &["2", "300"], &["1", "300"], CauseKind::LockWait);
    assert!(found.causes[0].text.contains("futex"), "{found:#?}");
}

/// Needs root.
#[test]
fn sleeping_is_sleeping_and_grows_with_its_number() {
    let found = planted("naps", &["100"], &["0"], CauseKind::Sleep);
    assert!(
        found.causes[0].share > 0.9 && found.causes[0].confirmed,
        "{found:#?}"
    );
    let cause = &found.causes[0];
    assert!(
        cause.text.contains("100 calls of clock_nanosleep against 0"),
        "{}",
        cause.text
    );
}

/// Needs root, and a disk below the temporary folder.
#[test]
fn reading_a_cold_file_is_waiting_for_a_disk() {
    let home = Home::new();
    let _wbd = home.start();
    let file = home.file("cold", &"x".repeat(64 << 20), 0o644);
    let program = home.program("coldread");
    let found = explained(&home, &[&program, &file, "4"], &[&program, &file, "0"]);
    assert_first(&found, CauseKind::IoWait);
}

/// Needs root, and a disk below the temporary folder.
#[test]
fn having_every_write_on_the_disk_is_waiting_for_it() {
    let home = Home::new();
    let _wbd = home.start();
    let file = home.text("synced");
    let program = home.program("syncs");
    let found = explained(&home, &[&program, &file, "100"], &[&program, &file, "0"]);
    assert_first(&found, CauseKind::IoWait);
    assert!(found.causes[0].text.contains("fsync"), "{found:#?}");
}

/// Needs root.
#[test]
fn a_full_pipe_is_waiting_for_its_reader() {
    let found = planted("slowpipe", &["80"], &["1"], CauseKind::IoWait);
    assert!(found.causes[0].text.contains("slowpipe"), "{found:#?}");
}

/// Needs root.
#[test]
fn waiting_in_vain_is_sleeping_however_it_is_done() {
    let home = Home::new();
    let _wbd = home.start();
    let program = home.program("awaits");
    for how in ["poll", "condition", "timer"] {
        let found = explained(&home, &[&program, how, "100"], &[&program, how, "1"]);
        assert_first(&found, CauseKind::Sleep);
    }
}

/// Needs root.
#[test]
fn memory_that_is_given_back_and_asked_for_again_is_page_faults() {
    planted("churns", &["100"], &["1"], CauseKind::PageFaults);
}

/// Needs root. The same steps, in memory that no cache of a CPU holds.
#[test]
fn a_walk_through_much_memory_waits_for_it_and_one_through_little_does_not() {
    let home = Home::new();
    let _wbd = home.start();
    let program = home.program("walks");
    let (far, near, more) = (
        [&program, "65536", "8000000"],
        [&program, "64", "8000000"],
        [&program, "64", "100000000"],
    );
    let slow = explained(&home, &far, &near);
    assert_first(&slow, CauseKind::MemoryBandwidth);
    assert!(slow.causes[0].text.contains("`walk`"), "{slow:#?}");
    let busy = explained(&home, &more, &near);
    assert_first(&busy, CauseKind::UserCpu);
}

/// Needs root.
#[test]
fn a_million_system_calls_lose_no_count_and_the_slowdown_is_told() {
    let found = planted("asks", &["1000000"], &["1"], CauseKind::Syscalls);
    let counts = found.causes[0].evidence["counts"].to_string();
    assert!(
        counts.contains("1,000,000 calls of getppid against 1"),
        "{counts}"
    );
    assert!(
        found.profiles.iter().all(|profile| profile.lost == 0),
        "{found:#?}"
    );
    let slowdown = found.slowdown.expect("it is told")[0];
    assert!(slowdown > 1.3, "{slowdown}");
    let told =
        |warning: &String| warning.contains("A took") && warning.contains("times as long under the probes");
    assert!(found.warnings.iter().any(told), "{:?}", found.warnings);
}

/// Needs root.
#[test]
fn what_a_shell_starts_is_looked_into() {
    let home = Home::new();
    let _wbd = home.start();
    let lookups = home.program("lookups");
    let script = |how: &str| format!("{lookups} {how} 100000; true");
    let (a, b) = (script("scanning"), script("halving"));
    let found = explained(&home, &["/bin/sh", "-c", &a], &["/bin/sh", "-c", &b]);
    assert_first(&found, CauseKind::UserCpu);
    assert!(found.causes[0].text.contains("`scanning`"), "{found:#?}");
}

/// Needs root. The quicker cell is explained by the slower one as well.
#[test]
fn a_difference_is_explained_from_either_side() {
    let found = planted("naps", &["0"], &["100"], CauseKind::Sleep);
    assert!(
        found.difference.ns < 0 && found.causes[0].text.contains("spares"),
        "{found:#?}"
    );
}

/// Programs of others that want every CPU, two for each and bound to it, until this is dropped.
struct Hogs(Vec<Child>);

impl Hogs {
    fn start(home: &Home) -> Self {
        let spin = home.program("spin");
        let cpus = std::thread::available_parallelism().expect("CPUs").get();
        let hog = |number: usize| {
            let cpu = (number % cpus).to_string();
            let mut hog = Command::new("taskset");
            hog.args(["-c", &cpu, &spin, "600000"]).spawn().expect("a hog")
        };
        Self((0..2 * cpus).map(hog).collect())
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

/// Needs root.
#[test]
fn a_noisy_neighbour_when_one_was_recorded_is_not_the_programs_fault() {
    let home = Home::new();
    let _wbd = home.start();
    let lookups = home.program("lookups");
    let record = || {
        let made = home.measure(&["-n", "7", "--", &lookups, "scanning", "50000"]);
        format!("{}:0", made.experiment)
    };
    let quiet = record();
    let disturbed = {
        let _hogs = Hogs::start(&home);
        record()
    };
    let found: Explanation = home
        .wbctl(&["--json", "explain", &disturbed, &quiet])
        .expect(0)
        .json();
    let first = found
        .causes
        .first()
        .unwrap_or_else(|| panic!("no cause: {found:#?}"));
    assert_eq!(first.kind, CauseKind::Interference, "{found:#?}");
    assert!(first.share > 0.5, "{found:#?}");
    assert!(
        found.verdict.contains("no difference to explain now"),
        "{}",
        found.verdict
    );
}

/// Needs root. What is another program now, or reads something else, no neighbour made slow.
#[test]
fn a_difference_that_went_with_the_program_is_nobodys_interference() {
    let home = Home::new();
    let _wbd = home.start();
    let spin = home.program("spin");
    let script = home.file(
        "script",
        &format!("#!/bin/sh\nexec {spin} $(cat {})\n", home.text("much")),
        0o755,
    );
    let record = |ms: &str| {
        let _ = home.file("much", ms, 0o644);
        format!("{}:0", home.measure(&["-n", "5", "--", &script]).experiment)
    };
    let (long, short) = (record("50"), record("10"));
    let found: Explanation = home.wbctl(&["--json", "explain", &long, &short]).expect(0).json();
    assert!(found.causes.is_empty(), "{found:#?}");
    assert!(found.verdict.contains("may be another now"), "{}", found.verdict);
}

/// Needs root.
#[test]
fn a_second_is_explained_within_half_a_minute() {
    let home = Home::new();
    let _wbd = home.start();
    let spin = home.program("spin");
    let record = |ms| format!("{}:0", home.measure(&["-n", "1", "--", &spin, ms]).experiment);
    let (a, b) = (record("1000"), record("500"));
    let begun = Instant::now();
    let found: Explanation = home.wbctl(&["--json", "explain", &a, &b]).expect(0).json();
    assert_first(&found, CauseKind::Syscalls); // it asks for its CPU time all the while
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

/// Needs root and Docker.
#[test]
fn docker_is_explained_by_the_way_to_its_program() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "docker", "-t", "native", "-w", "empty", "-n", "2"]);
    let of = |target: &str| format!("{}:{target}/empty", made.experiment);
    let asked = ["--json", "explain", &of("docker"), &of("native")];
    let found: Explanation = home.wbctl(&asked).expect(0).json();
    assert_first(&found, CauseKind::Processes);
    assert!(found.causes[0].text.contains(" to exec`"), "{found:#?}");
}

/// Needs root.
#[test]
fn touching_fresh_memory_is_page_faults_in_the_function_that_touches() {
    let found = planted("touch", &["256"], &["1"], CauseKind::PageFaults);
    let cause = &found.causes[0];
    assert!(
        cause.text.contains("`main`") && cause.text.contains("page faults against"),
        "{}",
        cause.text
    );
}

/// Needs root.
#[test]
fn forking_helpers_is_making_processes() {
    let found = planted("forks", &["600"], &["1"], CauseKind::Processes);
    let cause = &found.causes[0];
    assert!(
        cause.text.contains("601 processes and threads against 2"),
        "{}",
        cause.text
    );
}

/// Needs root.
#[test]
fn a_slower_algorithm_is_found_by_its_functions_name() {
    let found = planted(
        "lookups",
        &["scanning", "200000"],
        &["halving", "200000"],
        CauseKind::UserCpu,
    );
    assert!(found.causes[0].text.contains("`scanning`"), "{found:#?}");
    assert!(found.causes[0].confirmed, "{found:#?}");
}

/// Needs root.
#[test]
fn a_guests_slower_function_is_named_too() {
    let home = Home::new();
    let _wbd = home.start();
    let module = home.program("lookups.wasm");
    let record = |how| {
        let made = home.measure(&[
            "-t",
            "wasmtime-aot",
            "--wasm",
            &module,
            "-n",
            "3",
            "--",
            how,
            "200000",
        ]);
        format!("{}:0", made.experiment)
    };
    let (a, b) = (record("scanning"), record("halving"));
    let found: Explanation = home.wbctl(&["--json", "explain", &a, &b]).expect(0).json();
    assert_first(&found, CauseKind::UserCpu);
    assert!(found.causes[0].text.contains("scanning"), "{found:#?}");
}

/// Needs root.
#[test]
fn compiling_in_the_run_is_compiling_and_gone_when_done_ahead() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&[
        "-t",
        "wasmtime-jit",
        "-t",
        "wasmtime-aot",
        "-w",
        "binarytree",
        "--size",
        "check",
        "-n",
        "3",
    ]);
    let of = |target: &str| format!("{}:{target}/binarytree", made.experiment);
    let asked = ["--json", "explain", &of("wasmtime-jit"), &of("wasmtime-aot")];
    let found: Explanation = home.wbctl(&asked).expect(0).json();
    assert_first(&found, CauseKind::Compile);
    assert!(found.causes[0].confirmed, "{found:#?}");
}

/// Needs root.
#[test]
fn two_cells_that_do_the_same_have_no_difference_to_explain() {
    let home = Home::new();
    let _wbd = home.start();
    let spin = home.program("spin");
    let found = explained(&home, &[&spin, "100"], &[&spin, "100"]);
    assert!(found.causes.is_empty(), "{found:#?}");
    assert!(
        found.verdict.contains("no difference to explain"),
        "{}",
        found.verdict
    );
}

/// Needs root.
#[test]
fn one_users_programs_are_not_run_with_anothers_rights() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = wbd_tests::user::User::nobody();
    home.admit(&nobody);
    home.wbctl_as(&nobody, &["run", "-n", "2", "--", "/bin/true"])
        .expect(0);
    home.wbctl(&["explain", "latest:0", "latest:0"])
        .expect(4)
        .saying(&["with your rights", "ask as that user"]);
}

/// Needs root.
#[test]
fn a_cell_that_breaks_the_pattern_is_found_in_measured_tables() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&[
        "-t",
        "native",
        "-t",
        "native-dynamic",
        "-t",
        "wasmtime-aot",
        "-w",
        "simple",
        "-w",
        "spectralnorm",
        "-w",
        "n_body",
        "-w",
        "fannkuchredux",
        "--size",
        "small",
        "-n",
        "3",
    ]);
    let asked = ["--json", "anomalies", &made.experiment, "--metric", "execution"];
    let found: Anomalies = home.wbctl(&asked).expect(0).json();
    let pattern = &found.metrics[0];
    assert_eq!(
        (pattern.metric, pattern.targets, pattern.workloads),
        (Metric::Execution, 3, 4)
    );
    for anomaly in &pattern.anomalies {
        assert!(anomaly.ratio > 1.5 || anomaly.ratio < 1.0 / 1.5, "{anomaly:#?}");
    }
}
