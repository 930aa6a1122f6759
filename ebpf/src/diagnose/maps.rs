//! Maps and load-time constants.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, StackTrace};
use wbd_abi::diagnosis::{Calls, Life, MAX_LIVING, MAX_REASONS, MAX_STACKS, WaitKey, Waited};

use crate::atomic::add;

/// The cgroup of the run that is diagnosed, its level, and counts: see the constants below.
#[map]
pub static WATCHED: Array<u64> = Array::with_max_entries(3, 0);

/// Place in [`WATCHED`] of the cgroup's id.
pub const CGROUP: u32 = 0;
/// Place in [`WATCHED`] of the number of lives begun.
pub const BEGUN: u32 = 1;
/// Place in [`WATCHED`] of the number of things that found no room.
pub const LOST: u32 = 2;

/// Lives by thread id; those that were told apart stay when they have ended.
#[map]
pub static LIVES: HashMap<u32, Life> = HashMap::with_max_entries(MAX_LIVING, 0);

/// System calls by group and number.
#[map]
pub static CALLS: HashMap<u64, Calls> = HashMap::with_max_entries(MAX_REASONS, 0);

/// Waits by their reason.
#[map]
pub static WAITS: HashMap<WaitKey, Waited> = HashMap::with_max_entries(MAX_REASONS, 0);

/// Page faults by group and stack.
#[map]
pub static FAULTS: HashMap<u64, u64> = HashMap::with_max_entries(MAX_REASONS, 0);

/// Stacks.
#[map]
pub static STACKS: StackTrace = StackTrace::with_max_entries(MAX_STACKS, 0);

/// Offset of `pid` in `task_struct`.
#[unsafe(no_mangle)]
static TASK_PID: u32 = 0;
/// Offset of `tgid` in `task_struct`.
#[unsafe(no_mangle)]
static TASK_TGID: u32 = 0;
/// Depth of the runs' cgroups below the root of the unified hierarchy.
#[unsafe(no_mangle)]
static RUN_LEVEL: u32 = 0;
/// Numbers of `execve` and `execveat`.
#[unsafe(no_mangle)]
static EXECVE: [u32; 2] = [0; 2];
/// Numbers of `exit` and `exit_group`.
#[unsafe(no_mangle)]
static EXIT: [u32; 2] = [0; 2];
/// Number of `sched_yield`.
#[unsafe(no_mangle)]
static SCHED_YIELD: u32 = 0;

macro_rules! load_time_constant {
    ($name:ident, $of:ident, $type:ty) => {
        #[inline(always)]
        pub fn $name() -> $type {
            // SAFETY: a plain static, written before the program is loaded and never after. The volatile
            // read keeps the compiler from folding in the value of compile time.
            unsafe { core::ptr::read_volatile(&raw const $of) }
        }
    };
}

load_time_constant!(task_pid, TASK_PID, u32);
load_time_constant!(task_tgid, TASK_TGID, u32);
load_time_constant!(run_level, RUN_LEVEL, u32);
load_time_constant!(execve, EXECVE, [u32; 2]);
load_time_constant!(exit, EXIT, [u32; 2]);
load_time_constant!(sched_yield, SCHED_YIELD, u32);

/// The cgroup that is diagnosed.
#[inline(always)]
pub fn watched_cgroup() -> u64 {
    // SAFETY: a word that the daemon writes before the run begins.
    WATCHED
        .get(CGROUP)
        .map_or(0, |id| unsafe { core::ptr::read_volatile(id) })
}

/// Counts something that found no room.
#[inline(always)]
pub fn count_lost() {
    if let Some(lost) = WATCHED.get_ptr_mut(LOST) {
        // SAFETY: a word of the map, changed by this operation alone.
        unsafe { add(lost, 1) };
    }
}

/// How many lives had begun before this one.
#[inline(always)]
pub fn begin_one() -> u64 {
    let Some(begun) = WATCHED.get_ptr_mut(BEGUN) else {
        return u64::MAX;
    };
    // SAFETY: a word of the map, changed by this operation alone; two that begin at once may get the same number, and
    // nothing depends on it but where telling apart ends.
    unsafe {
        let before = core::ptr::read_volatile(begun);
        add(begun, 1);
        before
    }
}
