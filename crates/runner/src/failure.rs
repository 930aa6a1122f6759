//! Why a runner could not run its guest.

use std::fmt;
use std::path::Path;

/// One line for a person, without the program's name: what happened, to what, and what to do next. The daemon
/// does not tell failures apart; it shows the line.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// Of a text on however many lines.
    #[must_use]
    pub fn new(text: impl fmt::Display) -> Self {
        Self(one_line(text))
    }

    /// The engine could not be made.
    #[must_use]
    pub fn no_engine(error: impl fmt::Display) -> Self {
        Self::new(format_args!(
            "cannot make the engine: {error}; this host cannot run it"
        ))
    }

    /// The file at `path` could not be read.
    #[must_use]
    pub fn cannot_read(path: &Path, error: impl fmt::Display) -> Self {
        let path = path.display();
        Self::new(format_args!(
            "cannot read `{path}`: {error}; name a file that can be read"
        ))
    }

    /// The engine refused the module at `path`.
    #[must_use]
    pub fn cannot_compile(path: &Path, error: impl fmt::Display) -> Self {
        Self::new(format_args!(
            "cannot compile `{}`: {error}; build it again for wasm32-wasip1, without proposals this engine lacks",
            path.display()
        ))
    }

    /// The engine refused the machine code at `path`.
    #[must_use]
    pub fn cannot_load(path: &Path, error: impl fmt::Display, runner: &str) -> Self {
        let path = path.display();
        Self::new(format_args!(
            "cannot load `{path}`: {error}; make it anew with `{runner} compile`"
        ))
    }

    /// The module at `path` asks for what a runner does not give, or lacks what it calls.
    #[must_use]
    pub fn cannot_instantiate(path: &Path, error: impl fmt::Display) -> Self {
        Self::new(format_args!(
            "cannot instantiate `{}`: {error}; a module needs an exported function `_start` and imports of WASI preview 1 alone",
            path.display()
        ))
    }

    /// The directory `host` could not be opened for the guest.
    #[must_use]
    pub fn cannot_open_directory(host: &str, error: impl fmt::Display) -> Self {
        Self::new(format_args!(
            "cannot open the directory `{host}`: {error}; name one that exists"
        ))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An engine's message, however it is wrapped, on one line.
pub(crate) fn one_line(text: impl fmt::Display) -> String {
    let text = text.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
