//! Traps: status 134 and one line.

use super::assert_trapped;
use crate::{Trial, guests};

/// `unreachable` in `_start`.
pub fn a_trap_is_told_from_an_exit(trial: &Trial) {
    assert_trapped(&trial.guest(guests::TRAPS).run(&[]));
}

/// `unreachable` in the module's own start function, which instantiation calls.
pub fn a_trap_before_the_start_function_is_a_trap(trial: &Trial) {
    assert_trapped(&trial.guest(guests::TRAPS_EARLY).run(&[]));
}

/// A guest that recurses without end traps; it does not take the runner with it.
pub fn an_exhausted_stack_is_a_trap(trial: &Trial) {
    assert_trapped(&trial.guest(guests::OVERFLOWS).run(&[]));
}
