//! The first user instruction of an image, and the one at its ELF entry point.
//!
//! A new image has no page mapped, so fetching an instruction from a page for the first time faults. The
//! first such fault is the first user instruction; the one at the entry address is the entry point. Both
//! are reported when the fault begins, which is before the instruction runs (docs/METRICS.md: how long).

use aya_ebpf::EbpfContext as _;
use aya_ebpf::macros::{perf_event, raw_tracepoint};
use aya_ebpf::programs::{PerfEventContext, RawTracePointContext};
use wbd_abi::{EventKind, Process};

use crate::atomic::add;
use crate::maps::PROCESSES;
use crate::run::{Run, current_pid};

/// Set in a page fault's error code when an instruction was fetched (`X86_PF_INSTR`).
const INSTRUCTION_FETCH: u64 = 1 << 4;

/// Processes being watched. While it is 0, and it is nearly always, a page fault costs one load here.
static mut WATCHED: u64 = 0;

#[inline(always)]
fn count_watched(by: i64) {
    // SAFETY: an aligned word of the object's own data, changed here alone.
    unsafe { add(&raw mut WATCHED, by) };
}

#[inline(always)]
fn nothing_watched() -> bool {
    // SAFETY: as above; an old value costs an event of the instant at which another CPU changes it, and
    // a process's own faults come after its own exec on the same CPU or after a migration's barriers.
    unsafe { core::ptr::read_volatile(&raw const WATCHED) == 0 }
}

/// Begins to watch a process.
#[inline(always)]
pub fn watch(pid: u32, process: &Process) -> Result<(), i32> {
    if PROCESSES.get_ptr(&pid).is_none() {
        count_watched(1);
    }
    PROCESSES.insert(&pid, process, 0).inspect_err(|_| {
        count_watched(-1);
    })
}

/// Ends watching a process.
#[inline(always)]
pub fn forget(pid: u32) {
    if PROCESSES.remove(&pid).is_ok() {
        count_watched(-1);
    }
}

/// `exceptions:page_fault_user` (address, registers, error code), on x86 alone.
#[raw_tracepoint(tracepoint = "page_fault_user")]
pub fn page_fault(ctx: RawTracePointContext) -> i32 {
    if !nothing_watched() && ctx.arg::<u64>(2) & INSTRUCTION_FETCH != 0 {
        fetched(ctx.arg(0));
    }
    0
}

/// Where `struct bpf_perf_event_data` of arm64 keeps the program counter and the address of the fault: behind 31
/// registers and the stack pointer, and behind the state of the processor and the sample's period.
const ARM64_PC: usize = 256;
const ARM64_ADDRESS: usize = 280;

/// The software event `page-faults`, for arm64, which has no such tracepoint: raised when the fault begins. A page
/// that is missing at the program counter itself is an instruction fetch.
#[perf_event]
pub fn page_fault_arm64(ctx: PerfEventContext) -> u32 {
    let data = ctx.as_ptr().cast::<u8>();
    // SAFETY: both lie in the context, as the verifier checks on loading; it takes reads of these whole words alone.
    let (at, address) = unsafe {
        (
            data.add(ARM64_PC).cast::<u64>().read_volatile(),
            data.add(ARM64_ADDRESS).cast::<u64>().read_volatile(),
        )
    };
    if at == address && !nothing_watched() {
        fetched(address);
    }
    0
}

#[inline(always)]
fn fetched(address: u64) {
    let pid = current_pid();
    let Some(process) = PROCESSES.get_ptr_mut(&pid) else {
        return;
    };
    let Some(run) = Run::of_current() else { return };
    // SAFETY: the pointer came from the map in this program run; the value holds plain numbers, and only
    // the process itself, single-threaded until its entry point, changes it.
    let process = unsafe { &mut *process };
    if process.first_user_seen == 0 {
        process.first_user_seen = 1;
        report(&run, EventKind::FirstUser, address);
    }
    if address == process.entry {
        report(&run, EventKind::Entry, address);
        forget(pid);
    }
}

#[inline(always)]
fn report(run: &Run, kind: EventKind, address: u64) {
    let mut event = run.event(kind);
    event.a = address;
    run.send(event);
}
