//! Why the runner could not run its guest.
//!
//! A failure is one line for a person: what happened, to what, and what to do next. The daemon does not
//! tell failures apart; it shows the line.

use std::fmt;

/// The line, without the program's name.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An engine's error with its causes, on one line.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
