//! What diagnosis probes saw of one run: where every thread spent its life. Evidence, not yet an explanation.
//!
//! A thread is always in one of four states, and the kernel tells of every change between them, so that
//!
//! ```text
//!   life of a thread = user + system calls (on CPU) + waiting (by what for) + runnable (by who held the CPU)
//! ```
//!
//! to within the cost of the probes. Samples, taken by a clock, divide what is on a CPU further: by function.

use serde::{Deserialize, Serialize};

/// One run under diagnosis probes. Times are in nanoseconds, `CLOCK_MONOTONIC`, counted from `launch`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Until the guest's first instruction, where it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_ns: Option<u64>,
    /// Until the root process ended.
    pub wall_ns: u64,
    /// Its threads, the root process's main thread first. Those of short-lived processes beyond a bound are added up
    /// by name, see [`Thread::merged`].
    pub threads: Vec<Thread>,
    /// Where threads were when the clock looked, or what they had called when they began to wait.
    pub stacks: Vec<Stack>,
    /// Between two looks of the clock on one CPU.
    pub sample_period_ns: u64,
    /// How many runs the looks are of: a short one is met too rarely by itself. Their counts are of all, their times of one.
    #[serde(default)]
    pub runs_looked_at: u32,
    /// What it had read from disks, by its processes that were waited for.
    #[serde(default)]
    pub disk_read_bytes: u64,
    /// What was seen and could not be counted: a table was full.
    pub lost: u64,
}

/// The life of one thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// Its process.
    pub pid: u32,
    /// Its own number.
    pub tid: u32,
    /// Who made it: a thread, 0 where that is the launcher.
    pub parent: u32,
    /// Its last name.
    pub name: String,
    /// How many threads are added up here, at least 1.
    pub merged: u32,
    /// When it was made; of the root, `launch`.
    pub born_ns: u64,
    /// When it ended, or the run did.
    pub died_ns: u64,
    /// When its process reached the entry point of the program it last executed, where it executed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_ns: Option<u64>,
    /// On a CPU outside system calls: its own code, its page faults, interrupts that struck it.
    pub user_ns: u64,
    /// In system calls, by number.
    pub syscalls: Vec<Syscall>,
    /// Asleep, by what it waited for.
    pub waits: Vec<Wait>,
    /// Ready to run while a thread of the same run had the CPU, after it was made to leave it or was made.
    pub runnable_own_ns: u64,
    /// Ready to run while somebody else had the CPU.
    pub runnable_others_ns: u64,
    /// Ready to run on an idle CPU that had to be woken first, without having waited for anything.
    pub wakeup_ns: u64,
    /// Page faults served without a disk, and with one.
    pub faults: [u64; 2],
    /// Switches: to wait, and made to.
    pub switches: [u64; 2],
}

/// What one thread did with one system call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Syscall {
    /// Its name, such as `write`; its number where the name is not known.
    pub name: String,
    /// How often.
    pub calls: u64,
    /// How often it failed.
    pub failed: u64,
    /// On a CPU in it.
    pub cpu_ns: u64,
    /// What it moved, where its result is a number of bytes.
    pub bytes: u64,
    /// How many took, from entry to return, at least 2^i ns and less than 2^(i+1).
    pub latency: Vec<u64>,
}

/// One reason for which one thread slept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The system call it slept in; absent where it was a page fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syscall: Option<String>,
    /// The innermost function of the kernel that tells what for, such as `pipe_read` or `folio_wait_bit_common`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Whether the kernel counts it as waiting for a disk.
    pub disk: bool,
    /// What ended it.
    pub waker: Waker,
    /// Whether its time was over: it had waited for something else, which did not come.
    #[serde(default)]
    pub timed_out: bool,
    /// How often.
    pub count: u64,
    /// How long, until it had a CPU again; without the time in which others had that CPU.
    pub ns: u64,
}

/// Who ended a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waker {
    /// An interrupt or a timer, or nobody that is known.
    #[default]
    Kernel,
    /// This thread of the run, by what it did.
    Thread(u32),
    /// This thread of the run, by ending: whoever waited for its end, waited for its life.
    End(u32),
    /// A process outside the run.
    Other,
}

/// A place in a program, with what was counted there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Whose.
    pub tid: u32,
    /// What was counted.
    pub what: Counted,
    /// How often.
    pub count: u64,
    /// How long: samples times their period, or time waited.
    pub ns: u64,
    /// From the innermost function to the outermost.
    pub frames: Vec<Frame>,
}

/// What a stack was taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// The clock looked, and it was on a CPU.
    #[default]
    OnCpu,
    /// It went to sleep.
    OffCpu,
    /// It took a page fault.
    PageFault,
}

/// One function on a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Frame {
    /// Its name, demangled; an address in the module where it has none.
    pub function: String,
    /// The file it is in, by its last component; `kernel` for the kernel; empty where it is not known.
    pub module: String,
    /// Whose code it is.
    pub layer: Layer,
}

/// Whose code a function is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The kernel's.
    Kernel,
    /// The Wasm guest's, compiled by an engine.
    Guest,
    /// A Wasm engine's: runner, its libraries, its compiler apart.
    Engine,
    /// An engine's compiler.
    Compiler,
    /// A native program's own.
    Program,
    /// A shared library of the system.
    Library,
    /// Not known.
    #[default]
    Unknown,
}
