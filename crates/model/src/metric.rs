//! Metrics: what is measured of a run, and how many values are summed up.

use serde::{Deserialize, Serialize};

/// A measured quantity of one run. Start, end, clock and known error of each: `docs/METRICS.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// `guest - launch`.
    Startup,
    /// `exit - guest`.
    Execution,
    /// `exit - launch`.
    Wall,
    /// Container: `guest - start_sent`, the start of a container made earlier.
    StartOnly,
    /// Time on a CPU, all threads and descendants.
    CpuTime,
    /// Time the main thread was runnable and waited for a CPU.
    RunqueueWait,
    /// Time the main thread was neither on a CPU nor waiting for one.
    OffCpu,
    /// Largest resident set of the target's root process.
    RssPeak,
    /// Largest memory charge of the run's cgroup.
    CgroupPeak,
    /// Page faults, all threads and descendants.
    PageFaults,
    /// Context switches, all threads and descendants.
    ContextSwitches,
    /// Migrations between CPUs, all threads and descendants.
    Migrations,
    /// CPU cycles, all threads and descendants.
    Cycles,
    /// Instructions retired, all threads and descendants.
    Instructions,
    /// Branches mispredicted, all threads and descendants.
    BranchMisses,
    /// Last-level cache misses, all threads and descendants.
    CacheMisses,
    /// Branches retired, all threads and descendants.
    Branches,
    /// Loads that missed the data TLB, all threads and descendants.
    DtlbMisses,
    /// Instruction fetches that missed the instruction TLB, all threads and descendants.
    ItlbMisses,
    /// Of `cycles`: in user mode.
    CyclesUser,
    /// Of `instructions`: in user mode.
    InstructionsUser,
    /// Of `branches`: in user mode.
    BranchesUser,
    /// Of `branch_misses`: in user mode.
    BranchMissesUser,
    /// Of `cache_misses`: in user mode.
    CacheMissesUser,
    /// Of `dtlb_misses`: in user mode.
    DtlbMissesUser,
    /// Of `itlb_misses`: in user mode.
    ItlbMissesUser,
    /// Of `startup`: time the main thread was runnable and waited for a CPU.
    StartupWait,
    /// Of `execution`: time the main thread was runnable and waited for a CPU.
    ExecutionWait,
    /// `startup` without waiting for a CPU, interrupts and stolen time.
    NetStartup,
    /// `execution` without waiting for a CPU, interrupts and stolen time.
    NetExecution,
    /// `wall` without waiting for a CPU, interrupts and stolen time.
    NetWall,
    /// Time that interrupts took from the main thread.
    InterruptTime,
    /// Time the hypervisor took from the main thread's CPU.
    Steal,
    /// Interrupts that hit the main thread.
    Interrupts,
    /// Switches away from the process's threads because they had to wait.
    VoluntarySwitches,
    /// Switches away from the process's threads while they could have gone on.
    InvoluntarySwitches,
    /// The process's page faults that were served from memory.
    MinorFaults,
    /// The process's page faults that had to read.
    MajorFaults,
    /// Processes made, the root not included.
    Processes,
    /// Threads made, by all processes.
    Threads,
    /// Bytes written to standard output and standard error.
    OutputBytes,
    /// Container: largest memory charge of its cgroup beyond its process's own pages.
    ContainerRest,
    /// Container: largest resident set of its shim.
    ShimRss,
    /// Container: by how much the resident sets of dockerd and containerd grew.
    EngineGrowth,
    /// Container: CPU time of the shims.
    ShimCpu,
    /// Container: CPU time of the runs of runc outside the container's cgroup.
    RuncCpu,
    /// Container: CPU time of containerd.
    ContainerdCpu,
    /// Container: CPU time of dockerd.
    DockerdCpu,
}

/// What a metric's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// Bytes.
    Bytes,
    /// A plain count.
    Count,
}

impl Metric {
    /// Every metric, in the order in which tables show them.
    pub const ALL: [Self; 48] = [
        Self::Startup,
        Self::Execution,
        Self::Wall,
        Self::StartOnly,
        Self::CpuTime,
        Self::RunqueueWait,
        Self::OffCpu,
        Self::RssPeak,
        Self::CgroupPeak,
        Self::PageFaults,
        Self::ContextSwitches,
        Self::Migrations,
        Self::Cycles,
        Self::Instructions,
        Self::BranchMisses,
        Self::CacheMisses,
        Self::Branches,
        Self::DtlbMisses,
        Self::ItlbMisses,
        Self::CyclesUser,
        Self::InstructionsUser,
        Self::BranchesUser,
        Self::BranchMissesUser,
        Self::CacheMissesUser,
        Self::DtlbMissesUser,
        Self::ItlbMissesUser,
        Self::StartupWait,
        Self::ExecutionWait,
        Self::NetStartup,
        Self::NetExecution,
        Self::NetWall,
        Self::InterruptTime,
        Self::Steal,
        Self::Interrupts,
        Self::VoluntarySwitches,
        Self::InvoluntarySwitches,
        Self::MinorFaults,
        Self::MajorFaults,
        Self::Processes,
        Self::Threads,
        Self::OutputBytes,
        Self::ContainerRest,
        Self::ShimRss,
        Self::EngineGrowth,
        Self::ShimCpu,
        Self::RuncCpu,
        Self::ContainerdCpu,
        Self::DockerdCpu,
    ];

    /// The name as documents and flags spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Execution => "execution",
            Self::Wall => "wall",
            Self::StartOnly => "start_only",
            Self::CpuTime => "cpu_time",
            Self::RunqueueWait => "runqueue_wait",
            Self::OffCpu => "off_cpu",
            Self::RssPeak => "rss_peak",
            Self::CgroupPeak => "cgroup_peak",
            Self::PageFaults => "page_faults",
            Self::ContextSwitches => "context_switches",
            Self::Migrations => "migrations",
            Self::Cycles => "cycles",
            Self::Instructions => "instructions",
            Self::BranchMisses => "branch_misses",
            Self::CacheMisses => "cache_misses",
            Self::Branches => "branches",
            Self::DtlbMisses => "dtlb_misses",
            Self::ItlbMisses => "itlb_misses",
            Self::CyclesUser => "cycles_user",
            Self::InstructionsUser => "instructions_user",
            Self::BranchesUser => "branches_user",
            Self::BranchMissesUser => "branch_misses_user",
            Self::CacheMissesUser => "cache_misses_user",
            Self::DtlbMissesUser => "dtlb_misses_user",
            Self::ItlbMissesUser => "itlb_misses_user",
            Self::StartupWait => "startup_wait",
            Self::ExecutionWait => "execution_wait",
            Self::NetStartup => "net_startup",
            Self::NetExecution => "net_execution",
            Self::NetWall => "net_wall",
            Self::InterruptTime => "interrupt_time",
            Self::Steal => "steal",
            Self::Interrupts => "interrupts",
            Self::VoluntarySwitches => "voluntary_switches",
            Self::InvoluntarySwitches => "involuntary_switches",
            Self::MinorFaults => "minor_faults",
            Self::MajorFaults => "major_faults",
            Self::Processes => "processes",
            Self::Threads => "threads",
            Self::OutputBytes => "output_bytes",
            Self::ContainerRest => "container_rest",
            Self::ShimRss => "shim_rss",
            Self::EngineGrowth => "engine_growth",
            Self::ShimCpu => "shim_cpu",
            Self::RuncCpu => "runc_cpu",
            Self::ContainerdCpu => "containerd_cpu",
            Self::DockerdCpu => "dockerd_cpu",
        }
    }

    /// The same time without interference, for a metric that has one.
    #[must_use]
    pub const fn net(self) -> Option<Self> {
        match self {
            Self::Startup => Some(Self::NetStartup),
            Self::Execution => Some(Self::NetExecution),
            Self::Wall => Some(Self::NetWall),
            _ => None,
        }
    }

    /// The unit of its values.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Startup
            | Self::Execution
            | Self::Wall
            | Self::StartOnly
            | Self::CpuTime
            | Self::RunqueueWait
            | Self::OffCpu
            | Self::StartupWait
            | Self::ExecutionWait
            | Self::NetStartup
            | Self::NetExecution
            | Self::NetWall
            | Self::InterruptTime
            | Self::Steal
            | Self::ShimCpu
            | Self::RuncCpu
            | Self::ContainerdCpu
            | Self::DockerdCpu => Unit::Ns,
            Self::RssPeak
            | Self::CgroupPeak
            | Self::OutputBytes
            | Self::ContainerRest
            | Self::ShimRss
            | Self::EngineGrowth => Unit::Bytes,
            Self::PageFaults
            | Self::ContextSwitches
            | Self::Migrations
            | Self::Cycles
            | Self::Instructions
            | Self::BranchMisses
            | Self::CacheMisses
            | Self::Branches
            | Self::DtlbMisses
            | Self::ItlbMisses
            | Self::CyclesUser
            | Self::InstructionsUser
            | Self::BranchesUser
            | Self::BranchMissesUser
            | Self::CacheMissesUser
            | Self::DtlbMissesUser
            | Self::ItlbMissesUser
            | Self::Interrupts
            | Self::VoluntarySwitches
            | Self::InvoluntarySwitches
            | Self::MinorFaults
            | Self::MajorFaults
            | Self::Processes
            | Self::Threads => Unit::Count,
        }
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.as_str() == name)
            .ok_or_else(|| UnknownMetric(name.to_owned()))
    }
}

/// No metric has this name.
#[derive(Debug, thiserror::Error)]
#[error("no metric is called `{0}`; known: {known}", known = Metric::ALL.map(Metric::as_str).join(", "))]
pub struct UnknownMetric(String);

/// One metric over the valid runs of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Unit of every number below but `n`.
    pub unit: Unit,
    /// Values summed up.
    pub n: u64,
    /// Smallest value.
    pub min: u64,
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Largest value.
    pub max: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// 95 % confidence interval of the median.
    pub ci95: [u64; 2],
    /// That of the 90th percentile; absent where the values are too few for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90_ci95: Option<[u64; 2]>,
    /// That of the 99th percentile; absent where the values are too few for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ci95: Option<[u64; 2]>,
}
