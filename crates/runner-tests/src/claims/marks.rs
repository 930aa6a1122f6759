//! The marks: in the program, and on the way to the guest.

use crate::{Subject, Trial, guests, notes, trace};

/// In the order in which a run passes them.
const MARKS: [&str; 4] = [
    "wbd:engine_ready",
    "wbd:module_ready",
    "wbd:instance_ready",
    "wbd:guest",
];

/// A copy would be passed unseen, since the daemon watches one place.
pub fn each_mark_stands_in_the_program_once(subject: &Subject) {
    let mut found: Vec<_> = notes::probes(subject.program)
        .into_iter()
        .map(|probe| probe.name)
        .collect();
    found.sort();
    let mut expected = MARKS;
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Seen by breakpoints in a run to the guest's end; where the guest is none, short of it.
pub fn the_marks_are_passed_once_each_and_in_order(trial: &Trial) {
    let passed = |guest| trace::passed(trial.subject.program, &trial.guest(guest).command_line());
    assert_eq!(passed(guests::EXITS_SEVEN), MARKS);
    assert_eq!(passed(guests::LIBRARY), MARKS[..2]);
}
