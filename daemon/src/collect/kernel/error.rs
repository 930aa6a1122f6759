//! Why the kernel side is of no use.

use std::path::PathBuf;

use wbd_linux::{offsets, usdt};

use crate::collect::tracing_fs::NoTracingFs;

/// Why the kernel side is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KernelError {
    /// The kernel does not name its tracepoints.
    #[error(transparent)]
    TracingFs(#[from] NoTracingFs),
    /// The running kernel tells too little of itself.
    #[error(transparent)]
    Offsets(#[from] offsets::OffsetError),
    /// The object was refused.
    #[error("the kernel refused wbd's BPF object: {0}; wbd needs root and Linux 5.19 or newer with BPF")]
    Load(#[from] aya::EbpfError),
    /// A program was refused.
    #[error("the kernel refused wbd's BPF program {program}: {source}")]
    Program {
        /// Which.
        program: &'static str,
        /// Why.
        source: aya::programs::ProgramError,
    },
    /// A map cannot be used.
    #[error("wbd's BPF map cannot be used: {0}")]
    Map(#[from] aya::maps::MapError),
    /// The ring buffer cannot be opened a second time.
    #[error("wbd's ring buffer cannot be opened: {0}")]
    Again(std::io::Error),
    /// The object is not the one this daemon was built with.
    #[error("wbd's BPF object has no {0}; rebuild it with: cargo xtask ebpf")]
    Absent(&'static str),
    /// The kernel keeps no statistics of BPF programs.
    #[error("the kernel keeps no statistics of BPF programs: {0}; Linux 5.8 or newer does")]
    Statistics(aya::sys::SyscallError),
    /// A runner's marks cannot be found.
    #[error(transparent)]
    Marks(#[from] usdt::UsdtError),
    /// A runner cannot be looked at.
    #[error("{}: {source}", runner.display())]
    Runner {
        /// The runner's file.
        runner: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A runner has no such mark.
    #[error("{runner} has no mark {mark}; rebuild it with: cargo xtask build")]
    NoMark {
        /// The runner's file.
        runner: String,
        /// The missing USDT probe.
        mark: &'static str,
    },
}
