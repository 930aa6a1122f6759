//! Standard output and standard error. A reader that goes away early (`wbctl list | head -1`) has what it
//! wanted: that is no failure, and nothing here panics over it.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use wbd_model::SCHEMA;

use crate::failure::Failure;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Tables and drawings.
    Text,
    /// The document itself, on one line.
    Json,
}

/// Prints `document`: as it is, or as `draw` draws it.
///
/// # Errors
/// Fails where standard output cannot be written.
pub(crate) fn print<T: Serialize>(
    style: Style,
    document: &T,
    draw: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    to_stdout(|out| match style {
        Style::Text => out.write_all(draw(document).as_bytes()),
        Style::Json => {
            serde_json::to_writer(&mut *out, document)?;
            out.write_all(b"\n")
        }
    })
}

/// A message as a document: with the version that experiments and reports bring along.
#[derive(Serialize)]
struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    message: &'a T,
}

/// Prints a message that is no document by itself, as [`print`] does.
///
/// # Errors
/// Fails where standard output cannot be written.
pub(crate) fn print_message<T: Serialize>(
    style: Style,
    message: &T,
    draw: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    let schema = SCHEMA;
    print(style, &Versioned { schema, message }, |document| {
        draw(document.message)
    })
}

/// Lets `write` write to standard output, through a buffer.
///
/// # Errors
/// Fails where standard output cannot be written.
pub(crate) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Failed(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Says why the job was not done.
pub(crate) fn complain(failure: &Failure) {
    // Where even standard error is closed, the exit code says it alone.
    let _ = writeln!(io::stderr(), "wbctl: {failure}");
}
