//! A machine that sleeps. Compiled for machines alone that are there to be put to sleep: those of `cargo xtask vm`.

use std::process::Command;
use std::time::Duration;

use wbd_model::Metric;
use wbd_tests::client::Client;
use wbd_tests::documents::{metric, only_run};
use wbd_tests::remains::instance;
use wbd_tests::{Home, process, wait};

const ASLEEP_S: u64 = 5;

/// Puts the machine to sleep; its clock wakes it.
fn suspend() {
    let seconds = ASLEEP_S.to_string();
    let rtcwake = ["--mode", "mem", "--seconds", &seconds];
    Client::spawn(Command::new("rtcwake").args(rtcwake))
        .answer()
        .expect(0);
}

fn sleeps(home: &Home) -> bool {
    let ours = process::in_cgroup(&format!("/wbd/{}/", instance(&home.state())));
    let is_sleep = |pid: u32| process::program(pid).is_some_and(|path| path.ends_with("sleep"));
    ours.into_iter().any(is_sleep)
}

/// Needs root.
#[test]
fn a_run_in_which_the_machine_slept_is_kept_and_does_not_count_and_the_next_one_does() {
    let home = Home::new();
    let _wbd = home.start();
    let line = ["run", "-n", "1", "--warmup", "0", "--", "/bin/sleep", "3"];
    let client = home.begin(&line);
    wait::until("the target sleeps", || sleeps(&home));
    suspend();
    client.answer().expect(1);
    let made = home.show("latest");
    let run = only_run(&made);
    assert!(!run.valid, "{run:#?}");
    assert!(
        run.notes.iter().any(|note| note.contains("suspended for")),
        "{:?}",
        run.notes
    );
    let wall = Duration::from_nanos(metric(run, Metric::Wall));
    assert!(
        (3..3 + ASLEEP_S).contains(&wall.as_secs()),
        "the clock counted what it slept: {wall:?}"
    );
    home.measure(&["-t", "native", "-n", "3"]);
}
