//! What the guest gets, as WAMR takes it: lists of C strings.
//!
//! The guest gets its arguments, the variables and directories named on the command line, and the runner's standard
//! streams. It gets nothing else: no inherited environment, no other file.

use std::ffi::{CString, c_char};
use std::fs::File;

use wbd_runner::{Failure, Preopen, Run};

/// What is passed to the guest.
pub(crate) struct Wasi {
    /// The guest's own name first.
    pub(crate) arguments: Strings,
    /// `NAME=VALUE`.
    pub(crate) environment: Strings,
    /// `GUEST::HOST`.
    pub(crate) directories: Strings,
}

impl Wasi {
    /// Of the command line.
    pub(crate) fn new(run: &Run) -> Result<Self, Failure> {
        let name = [run.program_name()];
        let variables = run
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Ok(Self {
            arguments: Strings::new(name.into_iter().chain(run.arguments.iter().cloned()))?,
            environment: Strings::new(variables)?,
            directories: Strings::new(directories(&run.preopens)?)?,
        })
    }
}

/// WAMR opens the directories only for a module that imports WASI: one that cannot be opened is to be refused
/// whatever the module.
fn directories(preopens: &[Preopen]) -> Result<Vec<String>, Failure> {
    let check = |Preopen { host, guest }: &Preopen| match File::open(host) {
        Ok(_) => Ok(format!("{guest}::{host}")),
        Err(error) => Err(Failure::cannot_open_directory(host, error)),
    };
    preopens.iter().map(check).collect()
}

/// Strings of C, and the pointers to them.
pub(crate) struct Strings {
    pointers: Vec<*const c_char>,
    _owned: Vec<CString>,
}

impl Strings {
    fn new(strings: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let strings = strings.into_iter().map(CString::new);
        let owned: Vec<_> = strings.collect::<Result<_, _>>().map_err(|error| {
            Failure::new(format_args!(
                "cannot pass on arguments, variables and directories: {error}; give them without NUL"
            ))
        })?;
        let pointers = owned.iter().map(|string| string.as_ptr()).collect();
        Ok(Self {
            pointers,
            _owned: owned,
        })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.pointers.len()).expect("a command line has less than 4 billion words")
    }

    /// The first pointer, valid as long as `self`.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut *const c_char {
        self.pointers.as_mut_ptr()
    }
}
