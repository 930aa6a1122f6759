//! Where threads were, moment by moment: against programs that know how often they slept and what they made.

use serde_json::Value;
use wbd_model::thread::{ThreadState, ThreadTrace};
use wbd_model::{Cell, InstantName as I, Metric, Sample};
use wbd_tests::Home;
use wbd_tests::documents::{metric, ns};

/// The only cell of runs whose switches are recorded.
#[track_caller]
fn recorded(home: &Home, command: &[&str]) -> Cell {
    let line = [&["--switches", "-n", "3", "--"], command].concat();
    home.measure(&line).cells.remove(0)
}

/// The thread that a run begins with.
fn main_thread(sample: &Sample) -> &ThreadTrace {
    let first = sample.threads.first();
    first.unwrap_or_else(|| panic!("no thread: {sample:#?}"))
}

/// How long a thread was in a state, and how often.
fn in_state(thread: &ThreadTrace, state: ThreadState) -> (u64, usize) {
    let of_state = thread.stretches.iter().filter(|stretch| stretch.state == state);
    let lengths: Vec<u64> = of_state.map(|stretch| stretch.to_ns - stretch.from_ns).collect();
    (lengths.iter().sum(), lengths.len())
}

/// Needs root.
#[test]
fn every_moment_of_a_run_is_told_and_each_sleep_is_one() {
    const NAPS: usize = 20;
    let home = Home::new();
    let _wbd = home.start();
    let cell = recorded(&home, &[&home.program("naps"), &NAPS.to_string()]);
    for sample in &cell.samples {
        let main = main_thread(sample);
        for pair in main.stretches.windows(2) {
            assert_eq!(pair[0].to_ns, pair[1].from_ns, "{main:#?}");
        }
        let (slept, times) = in_state(main, ThreadState::Sleeping);
        let voluntary = metric(sample, Metric::VoluntarySwitches);
        assert_eq!(times as u64, voluntary, "{sample:#?}");
        assert!(slept >= NAPS as u64 * 1_000_000, "{slept} ns in {times} naps");
        // Its waiting for a CPU is the kernel's own account, but for what lies between a waking and the queue's clock.
        let (waited, _) = in_state(main, ThreadState::Ready);
        let account = metric(sample, Metric::RunqueueWait);
        assert!(waited + 1_000_000 >= account, "{waited} and {account}: {main:#?}");
        let first = main.stretches.first().unwrap();
        assert_eq!(first.from_ns, ns(sample, I::Launch));
        let last = main.stretches.last().unwrap();
        assert_eq!(
            (last.to_ns, last.state),
            (ns(sample, I::Exit), ThreadState::Running)
        );
        assert!(
            main.stretches
                .iter()
                .all(|stretch| (stretch.state == ThreadState::Running) == stretch.cpu.is_some())
        );
        assert_eq!(main.name, "naps");
    }
}

/// Needs root.
#[test]
fn every_thread_and_process_has_its_own() {
    let home = Home::new();
    let _wbd = home.start();
    for program in ["threads", "forks"] {
        let cell = recorded(&home, &[&home.program(program), "12"]);
        for sample in &cell.samples {
            assert_eq!(sample.threads.len(), 13, "{program}: {sample:#?}");
            let ran = |thread: &ThreadTrace| in_state(thread, ThreadState::Running).1 > 0;
            assert!(sample.threads.iter().all(ran), "{program}: {sample:#?}");
            let of_root = sample
                .threads
                .iter()
                .filter(|thread| thread.pid == main_thread(sample).pid);
            assert_eq!(
                of_root.count(),
                if program == "threads" { 13 } else { 1 },
                "{program}"
            );
        }
    }
}

/// Nobody pays for what was not asked for. Needs root.
#[test]
fn they_are_recorded_where_that_is_asked_for_and_said() {
    let home = Home::new();
    let _wbd = home.start();
    let noop = home.program("noop");
    let with = home.measure(&["--switches", "-n", "2", "--", &noop]);
    assert!(
        with.warnings
            .iter()
            .any(|warning| warning.contains("context switch"))
    );
    let without = home.measure(&["-n", "2", "--", &noop]);
    assert!(without.warnings.is_empty(), "{:?}", without.warnings);
    assert!(
        without.cells[0]
            .samples
            .iter()
            .all(|sample| sample.threads.is_empty())
    );
}

/// Against the format as it is published: every event has what its kind must have, and slices nest. Needs root.
#[test]
fn a_trace_of_them_is_sound_and_has_each_thread_as_a_track() {
    let home = Home::new();
    let _wbd = home.start();
    let cell = recorded(&home, &[&home.program("naps"), "3"]);
    let trace: Value = home
        .wbctl(&["export", "latest", "--format", "perfetto"])
        .expect(0)
        .json();
    let events = trace["traceEvents"].as_array().unwrap();
    for event in events {
        assert!(
            event["name"].is_string() && event["pid"].is_u64() && event["tid"].is_u64(),
            "{event}"
        );
        let time = |field: &str| event[field].as_f64().is_some_and(|time| time >= 0.0);
        let sound = match event["ph"].as_str().unwrap() {
            "B" | "E" => time("ts"),
            "i" => time("ts") && event["s"] == "t",
            "M" => event["args"]["name"].is_string(),
            other => panic!("{other}: {event}"),
        };
        assert!(sound, "{event}");
    }
    let begun = events.iter().filter(|event| event["ph"] == "B");
    let switches = begun.filter(|event| event["cat"] == "switch");
    let stretches = cell.samples.iter().flat_map(|sample| &sample.threads);
    let stretches: usize = stretches.map(|thread| thread.stretches.len()).sum();
    assert_eq!(switches.count(), stretches);
    let tracks = events
        .iter()
        .filter(|event| event["name"] == "thread_name")
        .count();
    let threads: usize = cell.samples.iter().map(|sample| sample.threads.len()).sum();
    assert_eq!(tracks, cell.samples.len() + threads);
}
