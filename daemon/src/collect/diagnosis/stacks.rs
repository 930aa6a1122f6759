//! Stacks as the kernel side takes them: addresses, and what lay at them.

use std::path::PathBuf;

use wbd_linux::symbols::FileId;
use wbd_model::profile::Counted;

/// A stack of addresses, with what was counted there.
#[derive(Clone, Debug)]
pub(crate) struct RawStack {
    /// Whose: the process, which has the mappings.
    pub(crate) pid: u32,
    /// Whose: the thread.
    pub(crate) tid: u32,
    /// When it was last seen, in `CLOCK_MONOTONIC`: a process that executes another program maps other files.
    pub(crate) at_ns: u64,
    /// What was counted.
    pub(crate) what: Counted,
    /// Whether the process's engine was compiling then.
    pub(crate) compiling: bool,
    /// How often.
    pub(crate) count: u64,
    /// How long.
    pub(crate) ns: u64,
    /// The kernel's addresses, the innermost first.
    pub(crate) kernel: Vec<u64>,
    /// The program's addresses, the innermost first.
    pub(crate) user: Vec<u64>,
}

/// Memory of a process that may hold code, from when it was mapped. It need not be executable then: an engine maps
/// what it compiled ahead as data, and makes it executable afterwards.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    /// Whose.
    pub(crate) pid: u32,
    /// Since when, in `CLOCK_MONOTONIC`; what is mapped later hides what is below it.
    pub(crate) since_ns: u64,
    /// The first address.
    pub(crate) start: u64,
    /// The address after the last.
    pub(crate) end: u64,
    /// The file it is of; none: memory without a file, in which a JIT puts its code.
    pub(crate) file: Option<FileMapping>,
}

/// What of a file is mapped.
#[derive(Clone, Debug)]
pub(crate) struct FileMapping {
    /// Its path when it was mapped.
    pub(crate) path: PathBuf,
    /// Which file it was.
    pub(crate) id: FileId,
    /// Where in the file the mapping begins.
    pub(crate) offset: u64,
}
