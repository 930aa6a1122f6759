//! The machine, what it can measure, and what there is to run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is recorded of the machine with every experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Kernel release.
    pub kernel: String,
    /// Instruction set.
    pub arch: String,
    /// Processor as it names itself.
    pub cpu: String,
    /// CPUs online.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// `v1`, `hybrid` or `v2`.
    pub cgroups: String,
    /// Frequency governor, where readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Hypervisor, where the machine is a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<String>,
    /// One-minute load average when the experiment began, in hundredths.
    pub load_centi: u32,
    /// What may disturb figures, as it was found: governor, turbo, multithreading, load, pressure, swap, huge pages,
    /// layout, stolen time, microcode. By the doctor's name of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The names of those that disturb.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbing: Vec<String>,
    /// How early a program's first instruction is seen here, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_bias: Option<EntryBias>,
    /// Version of wbd.
    pub wbd: String,
}

/// How early `first_user` and `entry` are, by launches of a program that reads the clock as its very first act. No
/// instant or metric is corrected by it: it says how far `startup` of native programs and containers is too short, and
/// their `execution` too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryBias {
    /// In the median, nanoseconds.
    pub early_ns: u64,
    /// In 98 of 100 launches no more than this, nanoseconds.
    pub p98_ns: u64,
    /// How many launches it is of.
    pub launches: u32,
}

/// What the doctor found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The machine.
    pub machine: Machine,
    /// One line for each thing looked at.
    pub checks: Vec<Check>,
    /// How far figures taken here can be believed, in a sentence.
    #[serde(default)]
    pub overall: String,
}

/// One thing the doctor looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at, such as `hardware counters`.
    pub name: String,
    /// How it is.
    pub grade: Grade,
    /// What was found.
    pub found: String,
    /// What to do about it, where something can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// How one thing the doctor looked at is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Good,
    /// It works, and disturbs the figures or lacks something.
    Warning,
    /// Something cannot be measured here.
    Missing,
}

/// A way to run a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInfo {
    /// Its name.
    pub name: String,
    /// What it is, in a few words.
    pub about: String,
    /// Version of the engine behind it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The Wasm engine, by the name of its runner, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// When a Wasm engine makes machine code: `jit`, `aot` or `interp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// What runs the guest's code: `cranelift`, `singlepass`, `llvm` or `interpreter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Where the engine is: its runner's path, or the container engine's socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The engine's size on disk: its runner and the libraries beside it. The system's libraries are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Why it cannot be used, and what to do; absent where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
}

/// A program to measure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadInfo {
    /// Its name.
    pub name: String,
    /// What it does, in a few words.
    pub about: String,
    /// Its arguments at size `small`.
    #[serde(default)]
    pub small: Vec<String>,
    /// Its arguments at size `quick`.
    pub quick: Vec<String>,
    /// Its arguments at size `seed`.
    pub seed: Vec<String>,
    /// Other ways to do the same, by the names they are run by, and how each differs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<String, String>,
    /// Sizes on disk by the file's ending: `static` (all that its image holds, too), `dynamic`, `wasm`.
    #[serde(default)]
    pub bytes: BTreeMap<String, u64>,
    /// Why it cannot be used, and what to do; absent where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
}

/// Why something is not to be had here, and how to get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// Why.
    pub why: String,
    /// How to get it.
    pub mend: String,
}
