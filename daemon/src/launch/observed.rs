//! What was seen of one run, before it is interpreted.

use wbd_abi::{Event, RunState};
use wbd_linux::perf::{Counted, Reading};
use wbd_linux::process::Ended;

/// What was seen of one run.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// Process id of the target.
    pub(crate) root: u32,
    /// What the kernel side reported.
    pub(crate) events: Vec<Event>,
    /// What the kernel side counted.
    pub(crate) state: RunState,
    /// Whether the kernel side saw interrupts.
    pub(crate) interrupts_seen: bool,
    /// Whether the kernel side told of context switches.
    pub(crate) switches_seen: bool,
    /// How the target ended; none where it never started.
    pub(crate) ended: Option<Ended>,
    /// Its counters.
    pub(crate) counters: Vec<(Counted, Reading)>,
    /// CPU time of the target and all it made, in nanoseconds, by the kernel's own account.
    pub(crate) cpu_ns: Option<u64>,
    /// CPU time of its main thread alone.
    pub(crate) main_thread_ns: Option<u64>,
    /// Peak of its cgroup's memory above what was charged at launch, in bytes.
    pub(crate) memory_peak: Option<u64>,
    /// Standard output.
    pub(crate) output: Printed,
    /// End of standard error.
    pub(crate) stderr: String,
    /// Why the run does not count.
    pub(crate) faults: Vec<String>,
    /// What else is worth knowing.
    pub(crate) notes: Vec<String>,
}

/// What a run printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Printed {
    /// Bytes on standard output.
    pub(crate) bytes: u64,
    /// XXH3 of standard output, 128 bits in hexadecimal.
    pub(crate) xxh3: String,
    /// Bytes on standard error.
    pub(crate) error_bytes: u64,
}

impl Observed {
    /// A run that never began.
    pub(crate) fn not_started(why: String) -> Self {
        Self {
            faults: vec![why],
            ..Self::default()
        }
    }
}
