//! The runner's contract with the daemon, tried on the built program.

mod bench;
mod failures;
mod guests;
mod marks;
mod runs;
