//! More events than fit: a run that makes tens of thousands of processes is complete, or says what it lost.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use wbd_model::{Metric, Sample};
use wbd_tests::documents::{metric, only_run};
use wbd_tests::{Home, wait};

/// A fork and an exit for each child.
const EVENTS: u64 = 2 * 20_000;
const FORKS: [&str; 7] = ["--json", "run", "-n", "1", "--warmup", "0", "--"];

/// How many events a run lost, as its notes tell.
fn lost(run: &Sample) -> u64 {
    let notes = run.notes.iter().filter(|note| note.contains("lost"));
    let count = |note: &String| note.split(' ').next()?.parse::<u64>().ok();
    notes
        .map(|note| count(note).unwrap_or_else(|| panic!("how many? {note}")))
        .sum()
}

/// Needs root.
#[test]
fn twenty_thousand_forks_are_all_seen_or_the_run_says_what_it_lost() {
    let home = Home::new();
    let _wbd = home.start();
    let forks = home.program("forks");
    let answer = home.wbctl(&[&FORKS[..], &[&forks, "20000"]].concat());
    let shown = home.show("latest");
    let run = only_run(&shown);
    assert_eq!(run.valid, lost(run) == 0, "{:?}", run.notes);
    assert_eq!(answer.code, i32::from(!run.valid), "{answer:#?}");
    assert!(lost(run) <= EVENTS, "{:?}", run.notes);
}

/// A daemon that is held up reads nothing, and the ring overflows: that run does not count, and the next one,
/// which finds the ring empty again, does.
///
/// Needs root.
#[test]
fn what_a_held_up_daemon_misses_makes_the_run_invalid() {
    let home = Home::new();
    let wbd = home.start();
    let forks = home.program("forks");
    let client = home.begin(&[&FORKS[..], &[&forks, "20000"]].concat());
    wait::until("the forks begin", || !home.processes().is_empty());
    wbd.signal(Signal::SIGSTOP);
    wait::until("the forks end", || home.processes().is_empty());
    wbd.signal(Signal::SIGCONT);
    client.answer().expect(1);
    let shown = home.show("latest");
    let run = only_run(&shown);
    assert!(!run.valid && shown.cells[0].metrics.is_empty(), "{run:?}");
    assert!(lost(run) > EVENTS / 2 && lost(run) < EVENTS, "{:?}", run.notes);
    let next = home.measure(&["-n", "5", "--", &forks, "10"]);
    assert_eq!(next.cells[0].valid, 5);
}

/// As many processes as many targets have, and none of them waits for another: 64 at once, which make 200,000 in all. What was
/// lost on the way to the daemon is not lost to its counts, which are made in the kernel.
///
/// Needs root.
#[test]
fn two_hundred_thousand_forks_by_64_processes_at_once_are_all_seen_or_the_run_says_what_it_lost() {
    const ALL: u64 = 64 * (3124 + 1);
    const PATIENCE: Duration = Duration::from_secs(280);
    let home = Home::new();
    let _wbd = home.start();
    let storm = home.program("storm");
    let mut client = home.begin(&[&FORKS[..], &[&storm, "64", "3124"]].concat());
    let begun = Instant::now();
    while client.is_busy() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
    }
    let answer = client.answer();
    let shown = home.show("latest");
    let run = only_run(&shown);
    println!("{} events of {} lost, {:?}", lost(run), 2 * ALL, begun.elapsed());
    assert_eq!(run.valid, lost(run) == 0, "{:?}", run.notes);
    assert_eq!(answer.code, i32::from(!run.valid), "{answer:#?}");
    assert_eq!(metric(run, Metric::Processes), ALL);
    assert!(lost(run) < 2 * ALL, "{:?}", run.notes);
}

/// Each has its turn, and nobody's events are another's. Needs root.
#[test]
fn of_64_callers_at_once_each_has_the_events_of_its_own_target() {
    let home = Home::new();
    let _wbd = home.start();
    let forks = home.program("forks");
    let callers: Vec<_> = (1..=64_u64)
        .map(|caller| {
            (
                caller,
                home.begin(&[&FORKS[..], &[&forks, &caller.to_string()]].concat()),
            )
        })
        .collect();
    for (caller, client) in callers {
        let made: wbd_model::Experiment = client.answer().expect(0).json();
        let shown = home.show(&made.experiment);
        let run = only_run(&shown);
        assert!(run.valid, "{run:?}");
        assert_eq!(metric(run, Metric::Processes), caller);
    }
}
