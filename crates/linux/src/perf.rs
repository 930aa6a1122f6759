//! Perf counters: of a target and all its descendants, or of all processes of a cgroup.
//!
//! The kinds are described with perf-event2. A process's hardware counters are opened by the target itself behind the
//! exec gate, on itself, before it becomes the target: so they miss nothing. What the kernel counts by itself (CPU time,
//! faults, switches, migrations) is taken from its own account: opening and inheriting four software events would cost
//! a launch 25 us, as much as everything else behind the gate. A container's processes are runc's children, whose
//! account is not ours to read: there the events are the cgroup's, software ones too.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;

use perf_event::events::{Hardware, Software};
use perf_event::{Builder, Counter, ReadFormat};

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// Nanoseconds on a CPU, all threads and descendants.
    TaskClock,
    /// Page faults.
    PageFaults,
    /// Context switches.
    ContextSwitches,
    /// Migrations between CPUs.
    Migrations,
    /// CPU cycles.
    Cycles,
    /// Instructions retired.
    Instructions,
    /// Branches mispredicted.
    BranchMisses,
    /// Last-level cache misses.
    CacheMisses,
}

/// A kind of counter, ready to be opened.
pub struct CounterKind {
    /// What it counts.
    pub counted: Counted,
    builder: Builder<'static>,
}

impl std::fmt::Debug for CounterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CounterKind").field(&self.counted).finish()
    }
}

impl Counted {
    /// Everything that can be counted, on this machine or another.
    pub const ALL: [Self; 8] = [
        Self::TaskClock,
        Self::PageFaults,
        Self::ContextSwitches,
        Self::Migrations,
        Self::Cycles,
        Self::Instructions,
        Self::BranchMisses,
        Self::CacheMisses,
    ];

    /// Whether the processor counts it, and not the kernel.
    #[must_use]
    pub const fn is_hardware(self) -> bool {
        matches!(
            self,
            Self::Cycles | Self::Instructions | Self::BranchMisses | Self::CacheMisses
        )
    }

    /// A disabled counter of it, not yet told whom to observe.
    fn builder<'a>(self) -> Builder<'a> {
        let mut builder = match self {
            Self::TaskClock => Builder::new(Software::TASK_CLOCK),
            Self::PageFaults => Builder::new(Software::PAGE_FAULTS),
            Self::ContextSwitches => Builder::new(Software::CONTEXT_SWITCHES),
            Self::Migrations => Builder::new(Software::CPU_MIGRATIONS),
            Self::Cycles => Builder::new(Hardware::CPU_CYCLES),
            Self::Instructions => Builder::new(Hardware::INSTRUCTIONS),
            Self::BranchMisses => Builder::new(Hardware::BRANCH_MISSES),
            Self::CacheMisses => Builder::new(Hardware::CACHE_MISSES),
        };
        builder
            .include_kernel()
            .include_hv()
            .enabled(false)
            .read_format(ReadFormat::TOTAL_TIME_ENABLED | ReadFormat::TOTAL_TIME_RUNNING);
        builder
    }
}

impl CounterKind {
    /// Every kind there is, on this machine or another.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let kind = |counted: Counted| {
            let mut builder = counted.builder();
            builder.inherit(true);
            Self { counted, builder }
        };
        Counted::ALL.map(kind).into()
    }

    /// Opens one on the calling thread, to see whether this machine has it.
    ///
    /// While one counter of a kind is open the kernel keeps its code paths patched in: opening another
    /// then costs 2 us instead of 60. So hold these while launching. They are not inherited: every child
    /// would pay for them.
    pub fn open(&self) -> io::Result<Counter> {
        self.counted.builder().build()
    }

    /// Address of its `perf_event_attr`, valid as long as the kind lives and is not moved.
    pub(crate) fn attributes(&self) -> usize {
        std::ptr::from_ref(self.builder.attrs()) as usize
    }
}

/// What a counter shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The count.
    pub value: u64,
    /// Nanoseconds it was enabled.
    pub enabled_ns: u64,
    /// Nanoseconds it really counted; less than enabled where the PMU was shared out in turns.
    pub running_ns: u64,
}

impl Reading {
    /// The count scaled up to the time it was enabled, and whether that was needed.
    #[must_use]
    pub fn scaled(self) -> (u64, bool) {
        if self.running_ns == 0 || self.running_ns >= self.enabled_ns {
            return (self.value, false);
        }
        let scaled = u128::from(self.value) * u128::from(self.enabled_ns) / u128::from(self.running_ns);
        (u64::try_from(scaled).unwrap_or(u64::MAX), true)
    }
}

/// Counters of all processes of a cgroup of the unified hierarchy: one of each kind on each CPU.
#[derive(Debug)]
pub struct CgroupCounters(Vec<(Counted, Vec<Counter>)>);

impl CgroupCounters {
    /// Opens and starts those of these kinds; a kind that one CPU refuses is left out.
    #[must_use]
    pub fn start<'a>(kinds: impl Iterator<Item = &'a CounterKind>, cgroup: &File, cpus: u32) -> Self {
        let of_kind = |kind: &CounterKind| {
            let on = |cpu| start_on(kind.counted, cgroup, cpu);
            Some((
                kind.counted,
                (0..cpus as usize).map(on).collect::<io::Result<_>>().ok()?,
            ))
        };
        Self(kinds.filter_map(of_kind).collect())
    }

    /// Reads them all, the CPUs added up.
    pub fn read(&mut self) -> io::Result<Vec<(Counted, Reading)>> {
        let mut readings = Vec::new();
        for (counted, counters) in &mut self.0 {
            let mut sum = Reading {
                value: 0,
                enabled_ns: 0,
                running_ns: 0,
            };
            for counter in counters {
                let read = counter.read_full()?;
                sum.value += read.count();
                sum.enabled_ns += read.time_enabled().map_or(0, as_ns);
                sum.running_ns += read.time_running().map_or(0, as_ns);
            }
            readings.push((*counted, sum));
        }
        Ok(readings)
    }
}

fn start_on(counted: Counted, cgroup: &File, cpu: usize) -> io::Result<Counter> {
    let mut counter = counted.builder().observe_cgroup(cgroup).one_cpu(cpu).build()?;
    counter.enable()?;
    Ok(counter)
}

fn as_ns(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads a counter; the counts of descendants are in it once they have ended.
pub fn read(counter: OwnedFd) -> io::Result<Reading> {
    let mut words = [0; 24];
    File::from(counter).read_exact(&mut words)?;
    let word = |at: usize| u64::from_ne_bytes(std::array::from_fn(|byte| words[at * 8 + byte]));
    Ok(Reading {
        value: word(0),
        enabled_ns: word(1),
        running_ns: word(2),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_ran_half_of_the_time_is_doubled_and_flagged() {
        let reading = Reading {
            value: 10,
            enabled_ns: 100,
            running_ns: 50,
        };
        assert_eq!(reading.scaled(), (20, true));
        let whole = Reading {
            value: 10,
            enabled_ns: 100,
            running_ns: 100,
        };
        assert_eq!(whole.scaled(), (10, false));
    }
}
