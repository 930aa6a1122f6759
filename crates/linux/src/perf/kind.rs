//! The kinds of counters, and how each is opened.

use std::io;

use perf_event::events::{Cache, CacheId, CacheOp, CacheResult, Hardware, Software};
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
    /// What the processor's own counters see.
    Hardware(HardwareEvent, Level),
}

/// What the processor's own counters see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HardwareEvent {
    /// CPU cycles.
    Cycles,
    /// Instructions retired.
    Instructions,
    /// Branches retired.
    Branches,
    /// Branches mispredicted.
    BranchMisses,
    /// Last-level cache misses.
    CacheMisses,
    /// Loads whose address was not in the data TLB.
    DtlbMisses,
    /// Instruction fetches whose address was not in the instruction TLB.
    ItlbMisses,
}

/// Whose doing is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The program's and the kernel's on its behalf.
    All,
    /// The program's alone.
    User,
}

impl HardwareEvent {
    /// Those whose counts mean something beside each other's alone, and so should be taken over the same time.
    pub(super) const GROUPS: [&[Self]; 4] = [
        &[Self::Cycles, Self::Instructions],
        &[Self::Branches, Self::BranchMisses],
        &[Self::CacheMisses, Self::DtlbMisses],
        &[Self::ItlbMisses],
    ];

    fn builder<'a>(self) -> Builder<'a> {
        let misses = |which| Cache {
            which,
            operation: CacheOp::READ,
            result: CacheResult::MISS,
        };
        match self {
            Self::Cycles => Builder::new(Hardware::CPU_CYCLES),
            Self::Instructions => Builder::new(Hardware::INSTRUCTIONS),
            Self::Branches => Builder::new(Hardware::BRANCH_INSTRUCTIONS),
            Self::BranchMisses => Builder::new(Hardware::BRANCH_MISSES),
            Self::CacheMisses => Builder::new(Hardware::CACHE_MISSES),
            Self::DtlbMisses => Builder::new(misses(CacheId::DTLB)),
            Self::ItlbMisses => Builder::new(misses(CacheId::ITLB)),
        }
    }
}

impl Counted {
    /// What the kernel counts by itself, on every machine.
    pub const SOFTWARE: [Self; 4] = [
        Self::TaskClock,
        Self::PageFaults,
        Self::ContextSwitches,
        Self::Migrations,
    ];

    /// The processor's counters of a group of events, both levels of each.
    pub(super) fn of_group(group: &[HardwareEvent]) -> impl Iterator<Item = Self> {
        let levels = |event: &HardwareEvent| {
            let event = *event;
            [Level::All, Level::User].map(|level| Self::Hardware(event, level))
        };
        group.iter().flat_map(levels)
    }

    /// Everything that can be counted, on this machine or another.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let hardware = HardwareEvent::GROUPS.into_iter().flat_map(Self::of_group);
        Self::SOFTWARE.into_iter().chain(hardware).collect()
    }

    /// A disabled counter of it, not yet told whom to observe.
    pub(super) fn builder<'a>(self) -> Builder<'a> {
        let mut builder = match self {
            Self::TaskClock => Builder::new(Software::TASK_CLOCK),
            Self::PageFaults => Builder::new(Software::PAGE_FAULTS),
            Self::ContextSwitches => Builder::new(Software::CONTEXT_SWITCHES),
            Self::Migrations => Builder::new(Software::CPU_MIGRATIONS),
            Self::Hardware(event, _) => event.builder(),
        };
        let user_alone = matches!(self, Self::Hardware(_, Level::User));
        builder
            .exclude_kernel(user_alone)
            .exclude_hv(user_alone)
            .enabled(false)
            .read_format(ReadFormat::TOTAL_TIME_ENABLED | ReadFormat::TOTAL_TIME_RUNNING);
        builder
    }
}

/// A kind of counter, ready to be opened.
pub struct CounterKind {
    /// What it counts.
    pub counted: Counted,
    /// The place, in the list it is in, of the counter that it counts together with, all of the time or none of it.
    pub leader: Option<usize>,
    builder: Builder<'static>,
}

impl std::fmt::Debug for CounterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CounterKind")
            .field("counted", &self.counted)
            .field("leader", &self.leader)
            .finish()
    }
}

impl CounterKind {
    /// One of a target and its descendants, by itself.
    #[must_use]
    pub fn of(counted: Counted) -> Self {
        let mut builder = counted.builder();
        builder.inherit(true);
        Self {
            counted,
            leader: None,
            builder,
        }
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
