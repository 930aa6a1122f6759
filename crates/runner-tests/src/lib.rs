//! The contract of a runner with the daemon, as tests of the built program.
//!
//! A runner's `tests/contract.rs` is one [`contract!`]: it makes a test of each claim in [`claims`], for each mode
//! the runner has. What holds of one engine alone is an ordinary test beside it, on the same [`Bench`].
//!
//! Limits: x86-64 Linux, where [`trace`] sets its breakpoints.

mod bench;
pub mod claims;
mod contract;
pub mod guests;
pub mod notes;
mod subject;
pub mod trace;

pub use bench::Bench;
pub use subject::{Subject, Trial};
pub use wbd_runner::Mode;
