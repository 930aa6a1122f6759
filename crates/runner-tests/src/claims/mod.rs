//! What is claimed of every runner. A claim holds or panics.
//!
//! One that is not in the list of `contract.rs` is made of nobody.

mod code;
mod ends;
mod files;
mod marks;
mod program;
mod refusals;
mod runs;

use std::process::Output;

pub use code::*;
pub use ends::*;
pub use files::*;
pub use marks::*;
pub use program::*;
pub use refusals::*;
pub use runs::*;

fn status(output: &Output) -> i32 {
    output.status.code().expect("no signal ended the runner")
}

/// The runner ended with status 125 and one line, in which `named` occurs.
fn assert_refused(output: &Output, named: &str) {
    let message = assert_one_line(output, "wbd-runner: ");
    assert_eq!(status(output), 125, "{message}");
    assert!(message.contains(named), "{named} is missing: {message}");
    assert!(output.stdout.is_empty());
}

/// The runner ended with status 134 and one line.
fn assert_trapped(output: &Output) {
    let message = assert_one_line(output, "wbd-runner: trap: ");
    assert_eq!(status(output), 134, "{message}");
}

fn assert_one_line(output: &Output, head: &str) -> String {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.starts_with(head), "{output:?}");
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}
