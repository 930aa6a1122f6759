//! More events than fit: a run that makes tens of thousands of processes is complete, or says what it lost.

use nix::sys::signal::Signal;
use wbd_model::Sample;
use wbd_tests::documents::only_run;
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
