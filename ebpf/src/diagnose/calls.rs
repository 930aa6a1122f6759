//! System calls and page faults.

use aya_ebpf::bindings::BPF_F_USER_STACK;
use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::helpers::generated::bpf_get_current_ancestor_cgroup_id;
use aya_ebpf::macros::raw_tracepoint;
use aya_ebpf::programs::RawTracePointContext;
use aya_ebpf::programs::tracing::StackIdContext as _;
use wbd_abi::diagnosis::{
    Calls, ENDED, ENDED_EMPTY, ENDED_LATE, LATENCIES, Life, NO_STACK, RUNNING, group_key,
};

use crate::atomic::add;
use crate::life::{self, now};
use crate::maps::{CALLS, FAULTS, STACKS, count_lost, execve, run_level, watched_cgroup};

/// The smallest result that is an error (`-MAX_ERRNO`).
const FIRST_ERROR: i64 = -4095;
/// Results that say that the time was over: `-ETIMEDOUT` and `-EAGAIN`, the same on all machines that wbd knows.
const LATE: [i64; 2] = [-110, -11];

/// `raw_syscalls:sys_enter` (registers, number).
#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn call_enter(ctx: RawTracePointContext) -> i32 {
    let number = ctx.arg::<u64>(1) as u32;
    match life::current() {
        Some(life) => enter(life, number),
        None if execve().contains(&number) => begin_root(number),
        None => {}
    }
    0
}

#[inline(always)]
fn enter(life: &mut Life, number: u32) {
    let now = now();
    life::settle(life, now);
    life.entered_ns = now;
    life.call_cpu_ns = 0;
    life.call = number.wrapping_add(1);
}

/// The first `execve` in the watched cgroup begins the run.
#[inline(always)]
fn begin_root(number: u32) {
    // SAFETY: the helper takes a plain number and has no precondition.
    let cgroup = unsafe { bpf_get_current_ancestor_cgroup_id(run_level() as i32) };
    if cgroup == 0 || cgroup != watched_cgroup() {
        return;
    }
    let ids = bpf_get_current_pid_tgid();
    life::begin(ids as u32, (ids >> 32) as u32, 0, RUNNING);
    if let Some(life) = life::current() {
        enter(life, number);
    }
}

/// `raw_syscalls:sys_exit` (registers, result).
#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn call_exit(ctx: RawTracePointContext) -> i32 {
    if let Some(life) = life::current()
        && life.call != 0
    {
        let now = now();
        life::settle(life, now);
        close(life, now, ctx.arg::<u64>(1) as i64);
    }
    0
}

/// Adds the system call the thread is in to the sums.
#[inline(always)]
pub fn close(life: &mut Life, now: u64, result: i64) {
    let key = group_key(life.group, life.call.wrapping_sub(1));
    life::add_wait(life, ended(result));
    life.call = 0;
    let Some(calls) = of(key) else { return };
    let failed = (FIRST_ERROR..0).contains(&result);
    let bytes = if result > 0 { result } else { 0 };
    let latency = now.saturating_sub(life.entered_ns);
    // SAFETY: words of the map, changed by this operation alone; the place is within the array.
    unsafe {
        add(&raw mut (*calls).calls, 1);
        add(&raw mut (*calls).failed, i64::from(failed));
        add(&raw mut (*calls).cpu_ns, life.call_cpu_ns as i64);
        add(&raw mut (*calls).bytes, bytes);
        let place = log2(latency) & (LATENCIES - 1);
        add((&raw mut (*calls).latency).cast::<u64>().add(place), 1);
    }
}

#[inline(always)]
fn ended(result: i64) -> u32 {
    match result {
        0 => ENDED_EMPTY,
        _ if LATE.contains(&result) => ENDED_LATE,
        _ => ENDED,
    }
}

#[inline(always)]
fn of(key: u64) -> Option<*mut Calls> {
    if let Some(calls) = CALLS.get_ptr_mut(&key) {
        return Some(calls);
    }
    const NONE: Calls = Calls {
        calls: 0,
        failed: 0,
        cpu_ns: 0,
        bytes: 0,
        latency: [0; LATENCIES],
    };
    if CALLS.insert(&key, &NONE, 0).is_err() {
        count_lost();
    }
    CALLS.get_ptr_mut(&key)
}

/// The largest power of two that is not above, 31 at most.
#[inline(always)]
fn log2(value: u64) -> usize {
    let mut left = if value > u64::from(u32::MAX) {
        u32::MAX
    } else {
        value as u32
    };
    let mut power = 0;
    for shift in [16, 8, 4, 2, 1] {
        if left >> shift != 0 {
            left >>= shift;
            power += shift;
        }
    }
    power as usize
}

/// `exceptions:page_fault_user` (address, registers, error code), on x86 alone.
#[raw_tracepoint(tracepoint = "page_fault_user")]
pub fn page_fault(ctx: RawTracePointContext) -> i32 {
    let Some(life) = life::current() else { return 0 };
    life.faults += 1;
    let stack = ctx.get_stackid(&STACKS, u64::from(BPF_F_USER_STACK));
    let key = group_key(life.group, stack.map_or(NO_STACK, |id| id as u32));
    if let Some(count) = FAULTS.get_ptr_mut(&key) {
        // SAFETY: a word of the map, changed by this operation alone.
        unsafe { add(count, 1) };
    } else if FAULTS.insert(&key, &1, 0).is_err() {
        count_lost();
    }
    0
}
