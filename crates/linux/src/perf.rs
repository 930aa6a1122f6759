//! Perf counters of a target and all its descendants.
//!
//! The kinds are described with perf-event2 and opened by the target itself behind the exec gate, on
//! itself, before it becomes the target: so they miss nothing.

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
    /// Nanoseconds on a CPU, the main thread alone.
    MainThreadClock,
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

impl CounterKind {
    fn new(counted: Counted, event: impl perf_event::events::Event) -> Self {
        let mut builder = Builder::new(event);
        builder
            .include_kernel()
            .include_hv()
            .enabled(false)
            .inherit(counted != Counted::MainThreadClock)
            .read_format(ReadFormat::TOTAL_TIME_ENABLED | ReadFormat::TOTAL_TIME_RUNNING);
        Self { counted, builder }
    }

    /// Every kind there is, on this machine or another.
    #[must_use]
    pub fn all() -> Vec<Self> {
        use Counted::*;
        vec![
            Self::new(TaskClock, Software::TASK_CLOCK),
            Self::new(MainThreadClock, Software::TASK_CLOCK),
            Self::new(PageFaults, Software::PAGE_FAULTS),
            Self::new(ContextSwitches, Software::CONTEXT_SWITCHES),
            Self::new(Migrations, Software::CPU_MIGRATIONS),
            Self::new(Cycles, Hardware::CPU_CYCLES),
            Self::new(Instructions, Hardware::INSTRUCTIONS),
            Self::new(BranchMisses, Hardware::BRANCH_MISSES),
            Self::new(CacheMisses, Hardware::CACHE_MISSES),
        ]
    }

    /// Opens one on the calling thread, to see whether this machine has it.
    ///
    /// While one counter of a kind is open the kernel keeps its code paths patched in: opening another
    /// then costs 2 us instead of 60. So hold these while launching.
    pub fn open(&self) -> io::Result<Counter> {
        self.builder.build()
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
