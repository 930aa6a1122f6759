//! Maps and load-time constants.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, LruHashMap, PerCpuArray, RingBuf};
use wbd_abi::{
    Interrupted, MAX_CONTAINERS, MAX_ENDING, MAX_ENGINES, MAX_PROCESSES, MAX_RUNS, MAX_THREADS, Offsets, Process,
    RING_BYTES, RunState, Seen,
};

/// Records on their way to the daemon.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// Registered runs, by the id of their cgroup in the unified hierarchy.
#[map]
pub static RUNS: HashMap<u64, RunState> = HashMap::with_max_entries(MAX_RUNS, 0);

/// Followed processes of a container engine: process id -> key into [`RUNS`].
#[map]
pub static HELPERS: LruHashMap<u32, u64> = LruHashMap::with_max_entries(MAX_PROCESSES, 0);

/// Cgroups that helpers made, by their id: key into [`RUNS`].
#[map]
pub static CONTAINERS: LruHashMap<u64, u64> = LruHashMap::with_max_entries(MAX_CONTAINERS, 0);

/// Processes between their exec and their ELF entry point.
#[map]
pub static PROCESSES: HashMap<u32, Process> = HashMap::with_max_entries(MAX_PROCESSES, 0);

/// Peak resident sets, in pages, of processes that are about to lose their memory map, by process id.
#[map]
pub static PEAKS: LruHashMap<u32, u64> = LruHashMap::with_max_entries(MAX_ENDING, 0);

/// What was reported of a process that may be an engine, by its run and its id.
#[map]
pub static SEEN: LruHashMap<u64, Seen> = LruHashMap::with_max_entries(MAX_ENGINES, 0);

/// Threads whose switches are told, by their id: key into [`RUNS`], and the run's number.
#[map]
pub static THREADS: LruHashMap<u32, [u64; 2]> = LruHashMap::with_max_entries(MAX_THREADS, 0);

/// Threads of a container engine's that are making namespaces, by their id: which.
#[map]
pub static UNSHARING: LruHashMap<u32, u64> = LruHashMap::with_max_entries(MAX_CONTAINERS, 0);

/// The interrupt under way on each CPU.
#[map]
pub static INTERRUPTED: PerCpuArray<Interrupted> = PerCpuArray::with_max_entries(1, 0);

/// One word on each CPU that serves to find where CPUs keep their own copies; see `percpu`.
#[map]
pub static COMPASS: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// Offsets in this kernel's structures.
#[unsafe(no_mangle)]
static OFFSETS: Offsets = Offsets {
    task_tgid: 0,
    task_pid: 0,
    task_mm: 0,
    task_signal: 0,
    task_exit_code: 0,
    task_leader: 0,
    task_run_delay: 0,
    task_switches: 0,
    task_faults: 0,
    task_migrations: 0,
    task_queue: 0,
    queue_rq: 0,
    rq_stolen: 0,
    signal_live: 0,
    signal_switches: 0,
    signal_faults: 0,
    mm_saved_auxv: 0,
    mm_hiwater_rss: 0,
    mm_rss_stat: 0,
    rss_stat_stride: 0,
    rss_count: 0,
    rss_percpu: 0,
    array_pptrs: 0,
};

/// Depth of the runs' cgroups below the root of the unified hierarchy.
#[unsafe(no_mangle)]
static RUN_LEVEL: u32 = 0;

/// CPUs the kernel may bring online.
#[unsafe(no_mangle)]
static CPUS: u32 = 0;

/// A constant the daemon sets in the object's read-only data before it is loaded.
macro_rules! load_time_constant {
    ($(#[$doc:meta])* $name:ident, $of:ident, $type:ty) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn $name() -> $type {
            // SAFETY: a plain static, written before the program is loaded and never after. The volatile
            // read keeps the compiler from folding in the value of compile time.
            unsafe { core::ptr::read_volatile(&raw const $of) }
        }
    };
}

load_time_constant!(
    /// [`OFFSETS`] as loaded.
    offsets, OFFSETS, Offsets
);
load_time_constant!(
    /// [`RUN_LEVEL`] as loaded.
    run_level, RUN_LEVEL, u32
);
load_time_constant!(
    /// [`CPUS`] as loaded.
    cpus, CPUS, u32
);
