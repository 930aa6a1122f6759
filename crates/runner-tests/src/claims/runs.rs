//! What a guest gets, and what it gives back.

use std::time::{Duration, Instant};

use super::status;
use crate::{Trial, guests};

/// Returning from `_start` is status 0, `proc_exit` the status it names.
pub fn the_guests_exit_status_is_passed_on(trial: &Trial) {
    for (guest, expected) in [(guests::EXITS_SEVEN, 7), (guests::RETURNS, 0)] {
        assert_eq!(status(&trial.guest(guest).run(&[])), expected);
    }
}

/// Neither runner nor engine says anything where all goes well.
pub fn nothing_is_printed_but_by_the_guest(trial: &Trial) {
    let output = trial.guest(guests::RETURNS).run(&[]);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

/// Arguments arrive as they stand.
pub fn the_guest_sees_its_file_name_and_the_words_after_the_dashes(trial: &Trial) {
    let bench = trial.guest(guests::PRINTS_ARGUMENTS);
    let expected = format!("{}\0one\0two words\0--mode\0\0", bench.module_name());
    let output = bench.run(&["--", "one", "two words", "--mode", ""]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

/// So a guest is called the same in every mode.
pub fn a_guest_can_be_given_a_name(trial: &Trial) {
    let output = trial
        .guest(guests::PRINTS_ARGUMENTS)
        .run(&["--name", "fasta", "--", "1"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "fasta\x001\0");
}

/// The runner's own environment has a variable when it is tried.
pub fn the_guests_environment_holds_what_was_named_and_nothing_of_the_hosts(trial: &Trial) {
    let bench = trial.guest(guests::PRINTS_ENVIRONMENT);
    assert_eq!(String::from_utf8_lossy(&bench.run(&[]).stdout), "");
    let output = bench.run(&["--env", "A=1", "--env", "B=x=y"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "A=1\0B=x=y\0");
}

/// What is written to the runner arrives at the guest.
pub fn the_guest_reads_the_runners_standard_input(trial: &Trial) {
    let output = trial.guest(guests::ECHOES).run_with_input(&[], b"a line\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a line\n");
}

/// `poll_oneoff` waits for a clock, and not for nothing.
pub fn a_sleeping_guest_wakes(trial: &Trial) {
    let bench = trial.guest(guests::SLEEPS);
    let begin = Instant::now();
    assert_eq!(status(&bench.run(&[])), 0);
    assert!(begin.elapsed() >= Duration::from_millis(50));
}
