//! Targets that fail, each in its own way: the run does not count and says why, what was measured before is kept,
//! and the daemon goes on.

use std::time::{Duration, Instant};

use wbd_model::{Exit, Experiment, Metric, Sample};
use wbd_tests::Home;
use wbd_tests::documents::{metric, only_run};
use wbd_tests::wait::until;

const ONCE: [&str; 4] = ["-n", "1", "--warmup", "0"];

/// Measures something that works, then `command`, whose only run must not count; returns that run.
#[track_caller]
fn fails(home: &Home, command: &[&str]) -> Sample {
    let before = home.measure(&["-t", "native", "-n", "3"]);
    let failed = home.fail(&[&ONCE, command].concat());
    assert_eq!((failed.cells[0].valid, failed.cells[0].failed), (0, 1));
    assert!(
        failed.cells[0].metrics.is_empty(),
        "a run that does not count is in the statistics"
    );
    assert_eq!(
        home.show(&before.experiment),
        before,
        "an earlier experiment has changed"
    );
    assert_eq!(
        home.measure(&["-t", "native", "-n", "3"]).cells[0].valid,
        3,
        "the daemon does not go on"
    );
    let sample = only_run(&failed).clone();
    assert!(!sample.valid);
    assert_eq!(
        reasons(&failed),
        [sample.notes[0].clone()],
        "the cell tells the run's reason"
    );
    sample
}

fn reasons(experiment: &Experiment) -> Vec<String> {
    experiment.cells[0].failures.keys().cloned().collect()
}

/// The client says it at once, and the daemon is not bothered. Needs root.
#[test]
fn a_program_that_is_not_there_or_not_executable_is_bad_usage() {
    let home = Home::new();
    let _wbd = home.start();
    home.wbctl(&["run", "--", "/no/such"])
        .expect(2)
        .saying(&["/no/such", "No such file"]);
    let data = home.file("data", "#!/bin/sh\n", 0o644);
    home.wbctl(&["run", "--", &data])
        .expect(2)
        .saying(&[&data, "permission denied", "execute bit"]);
    home.wbctl(&["run", "--", "/tmp"])
        .expect(2)
        .saying(&["/tmp", "directory"]);
}

/// Needs root.
#[test]
fn a_program_whose_interpreter_is_missing_is_told_with_its_path() {
    let home = Home::new();
    let _wbd = home.start();
    let script = home.file("script", "#!/no/such/interpreter\n", 0o755);
    let run = fails(&home, &["--", &script]);
    assert!(
        run.notes[0].contains(&script) && run.notes[0].contains("interpreter is missing"),
        "{run:?}"
    );
    assert!(matches!(run.exit, Exit::NotStarted(_)), "{:?}", run.exit);
}

/// Needs root.
#[test]
fn a_file_that_is_no_program_is_told_so() {
    let home = Home::new();
    let _wbd = home.start();
    let text = home.file("text", "neither ELF nor script\n", 0o755);
    let run = fails(&home, &["--", &text]);
    assert!(
        run.notes[0].contains(&text) && run.notes[0].contains("not a program"),
        "{run:?}"
    );
}

/// Needs root.
#[test]
fn a_program_that_goes_away_between_runs_fails_from_then_on() {
    let home = Home::new();
    let _wbd = home.start();
    let script = home.file("script", "#!/bin/sh\nrm \"$0\"\n", 0o755);
    let made = home.fail(&["-n", "3", "--warmup", "0", "--", &script]);
    let valid: Vec<bool> = made.cells[0].samples.iter().map(|sample| sample.valid).collect();
    assert_eq!(valid, [true, false, false]);
    assert_eq!((made.cells[0].valid, made.cells[0].failed), (1, 2));
    assert!(reasons(&made)[0].contains("no such file"), "{:?}", reasons(&made));
}

/// Needs root.
#[test]
fn a_program_killed_by_a_signal_is_told_with_the_signal() {
    let home = Home::new();
    let _wbd = home.start();
    let crash = home.program("crash");
    for (number, name) in [(11, "SIGSEGV"), (6, "SIGABRT"), (9, "SIGKILL")] {
        let run = fails(&home, &["--", &crash, &number.to_string()]);
        assert_eq!(run.exit, Exit::Signal(number));
        assert!(run.notes[0].contains(name), "{:?}", run.notes);
    }
}

/// As `kill 0` in many a script does, here with the daemon's own rights. Needs root.
#[test]
fn a_program_that_signals_its_process_group_hits_only_itself() {
    let home = Home::new();
    let _wbd = home.start();
    let run = fails(&home, &["--", "/bin/sh", "-c", "kill -TERM 0; sleep 1000"]);
    assert_eq!(run.exit, Exit::Signal(15));
}

/// Needs root.
#[test]
fn an_exit_code_is_told_with_the_programs_last_words() {
    let home = Home::new();
    let _wbd = home.start();
    let script = home.file(
        "script",
        "#!/bin/sh\necho the disk is on fire >&2\nexit 7\n",
        0o755,
    );
    let run = fails(&home, &["--", &script]);
    assert_eq!(run.exit, Exit::Code(7));
    assert!(
        run.notes[0].contains("code 7") && run.notes[0].contains("the disk is on fire"),
        "{run:?}"
    );
}

/// Needs root.
#[test]
fn a_child_that_outlives_its_parent_is_ended_and_noted() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&[&ONCE[..], &["--", &home.program("fork_outlive")]].concat());
    let run = only_run(&made);
    assert!(
        run.notes.iter().any(|note| note.contains("1 process")),
        "{:?}",
        run.notes
    );
    assert_eq!(home.processes(), [0; 0], "the child lives on");
}

/// Needs root.
#[test]
fn a_program_that_never_ends_is_ended_at_the_time_limit() {
    let home = Home::new();
    let _wbd = home.start();
    let hang = home.program("hang");
    let begun = Instant::now();
    let run = fails(&home, &["--time-limit", "0.3", "--", &hang]);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(run.notes[0].contains("0.3 s"), "{:?}", run.notes);
    assert_eq!(run.exit, Exit::Signal(9));
    assert_eq!(home.processes(), [0; 0], "it lives on");
}

/// Needs root.
#[test]
fn what_a_program_prints_is_counted_to_the_byte() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&[&ONCE[..], &["--", &home.program("flood"), "100000001"]].concat());
    assert_eq!(metric(only_run(&made), Metric::OutputBytes), 100_000_001);
}

/// Needs root.
#[test]
fn a_program_that_prints_a_gigabyte_is_ended_and_the_daemon_stays_small() {
    let home = Home::new();
    let wbd = home.start();
    let run = fails(&home, &["--", &home.program("flood"), "1000000000"]);
    assert!(run.notes[0].contains("printed more than"), "{:?}", run.notes);
    let peak = &wbd_tests::process::status(wbd.pid())["VmHWM"];
    let kib: u64 = peak.trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 200 * 1024, "the daemon grew to {kib} KiB");
}

/// Needs root.
#[test]
fn a_failed_run_ends_neither_the_cell_nor_its_neighbours() {
    let home = Home::new();
    let _wbd = home.start();
    let script = "#!/bin/sh\nif test -e $1; then rm $1; exit 1; else touch $1; fi\n";
    let every_other = home.file("every_other", script, 0o755);
    let made = home.fail(&["-n", "6", "--warmup", "0", "--", &every_other, &home.text("flag")]);
    let cell = &made.cells[0];
    assert_eq!((cell.runs, cell.valid, cell.failed), (6, 3, 3));
    assert_eq!(cell.metrics[&Metric::Wall].n, 3);
    assert_eq!(cell.failures.values().sum::<u32>(), 3);
}

/// What was killed at the end of a run must not reach the next one. Needs root.
#[test]
fn each_run_begins_afresh_after_one_that_had_to_be_ended() {
    let home = Home::new();
    let _wbd = home.start();
    let orphans = home.measure(&["-n", "3", "--", &home.program("fork_outlive")]);
    assert_eq!(orphans.cells[0].valid, 3);
    let hanging = home.fail(&[
        "-n",
        "3",
        "--warmup",
        "0",
        "--time-limit",
        "0.2",
        "--",
        &home.program("hang"),
    ]);
    assert_eq!(
        reasons(&hanging).len(),
        1,
        "each for the same reason: {:?}",
        reasons(&hanging)
    );
}

/// A run by root may make cgroups below its own. Needs root.
#[test]
fn cgroups_that_a_run_made_go_with_it() {
    let home = Home::new();
    let wbd = home.start();
    let script = "#!/bin/sh\nhere=$(sed -n s/^0:://p /proc/self/cgroup)\n\
        mkdir /sys/fs/cgroup/unified$here/sub || mkdir /sys/fs/cgroup$here/sub\n";
    let made = home.measure(&["-n", "3", "--", &home.file("script", script, 0o755)]);
    assert_eq!(made.cells[0].valid, 3);
    // The last run's is kept for a moment, since the next run may want it.
    until("the runs' cgroups are gone", || wbd.holds().runs().is_empty());
}

/// Moves itself to the top of every hierarchy, where no daemon of ours sees it.
const LEAVE: &str = "#!/bin/sh\nfor procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/unified/cgroup.procs; do\n\
    if [ -e $procs ]; then echo $$ > $procs; fi\ndone\n";

/// Root's target can leave its cgroup; the time limit holds it all the same. Needs root.
#[test]
fn a_program_that_leaves_its_cgroup_is_ended_at_the_time_limit() {
    let home = Home::new();
    let _wbd = home.start();
    let script = home.file("script", &format!("{LEAVE}exec sleep 100\n"), 0o755);
    let left = home.fail(&["-n", "1", "--warmup", "0", "--time-limit", "0.5", "--", &script]);
    assert!(reasons(&left)[0].contains("0.5 s"), "{:?}", reasons(&left));
}

/// What is not seen is not counted. Needs root.
#[test]
fn a_program_that_left_its_cgroup_does_not_count() {
    let home = Home::new();
    let _wbd = home.start();
    let left = home.fail(&[
        "-n",
        "1",
        "--warmup",
        "0",
        "--",
        &home.file("script", LEAVE, 0o755),
    ]);
    assert!(
        reasons(&left)[0].contains("left the cgroup"),
        "{:?}",
        reasons(&left)
    );
}

/// Needs root.
#[test]
fn a_program_that_needs_more_memory_than_it_may_have_is_ended_and_the_next_one_is_not() {
    let home = Home::new();
    let _wbd = home.start();
    let touch = home.program("touch");
    let limited = |mib: &'static str| {
        [
            "-n",
            "2",
            "--warmup",
            "0",
            "--memory-limit",
            mib,
            "--",
            &touch,
            "64",
        ]
        .map(str::to_owned)
    };
    let starved = home.fail(&limited("32").each_ref().map(String::as_str));
    for sample in &starved.cells[0].samples {
        assert_eq!(sample.exit, Exit::Signal(9), "{sample:?}");
        assert!(sample.notes[0].contains("32 MiB"), "{:?}", sample.notes);
    }
    let fed = home.measure(&limited("128").each_ref().map(String::as_str));
    assert_eq!(fed.cells[0].valid, 2);
}
