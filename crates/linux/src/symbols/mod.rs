//! From addresses to names of functions: the kernel's, those of files that were mapped, and those that an engine
//! compiled while it ran.
//!
//! Everything here works after the process has gone, and nothing here trusts what it reads: a program, its perf map
//! and the code that an engine compiled ahead belong to whoever was measured.

mod compiled;
#[cfg(fuzzing)]
pub(crate) mod fuzz;
mod kernel;
mod mapped;
mod name_section;
mod perf_map;
mod readable;
mod table;

pub use kernel::Kernel;
pub use mapped::{FileId, MappedFile, MappedFileError};
pub use perf_map::{PerfMap, PerfMapError};
pub use table::FunctionTable;

/// A function that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, demangled.
    pub name: String,
    /// What made its code.
    pub origin: Origin,
}

/// What made a function's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The compiler of the file that it is in.
    File,
    /// A Wasm engine, of the guest's own function.
    Guest,
    /// A Wasm engine, of nothing in the guest: the ways in and out of it.
    Trampoline,
}
