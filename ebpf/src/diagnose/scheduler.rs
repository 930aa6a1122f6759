//! What the scheduler and the life of processes tell.

use aya_ebpf::bindings::BPF_F_USER_STACK;
use aya_ebpf::helpers::{bpf_get_current_comm, bpf_get_current_pid_tgid};
use aya_ebpf::macros::raw_tracepoint;
use aya_ebpf::programs::RawTracePointContext;
use aya_ebpf::programs::tracing::StackIdContext as _;
use wbd_abi::diagnosis::{
    ASLEEP, ENDED, Life, NO_CPU, NO_STACK, RUNNABLE, RUNNING, WOKEN_BY_END, WOKEN_BY_KERNEL, WOKEN_BY_OTHER,
    WOKEN_BY_THREAD, YIELDED,
};

use crate::calls;
use crate::life::{self, now, process_id, thread_id};
use crate::maps::{STACKS, exit, sched_yield};
use crate::occupancy::{self, Held, Holder, this_cpu};

/// An idle CPU takes so long at most to run what it was woken for, nanoseconds.
const TO_WAKE_NS: u64 = 1_000_000;

/// A task that has ended leaves its CPU in this state (`TASK_DEAD`).
const DEAD: u64 = 0x80;

/// `sched:sched_switch` (preempted, previous task, next task, the previous one's state).
#[raw_tracepoint(tracepoint = "sched_switch")]
pub fn switch(ctx: RawTracePointContext) -> i32 {
    let (previous, next) = (thread_id(ctx.arg(1)), thread_id(ctx.arg(2)));
    let preempted = ctx.arg::<u64>(0) & 1 != 0;
    let state = ctx.arg::<u64>(3) as u32 as u64;
    let now = now();
    let mut own = 0;
    let mut holder = if previous == 0 { Holder::Idle } else { Holder::Other };
    if let Some(life) = life::of(previous) {
        own = life.group;
        holder = Holder::Own;
        if state & DEAD != 0 {
            life::end(life);
        } else {
            go(life, now, state != 0 && !preempted, preempted, &ctx);
        }
    }
    let life = life::of(next);
    let next = match life {
        Some(_) => Holder::Own,
        None if next == 0 => Holder::Idle,
        None => Holder::Other,
    };
    occupancy::note(holder, next, now);
    if let Some(life) = life {
        come(life, now, own);
    }
    0
}

#[inline(always)]
fn go(life: &mut Life, now: u64, sleeps: bool, preempted: bool, ctx: &RawTracePointContext) {
    let yields = !sleeps && !preempted && life.call == sched_yield() + 1;
    if sleeps || yields {
        life::add_wait(life, ENDED);
        note_stacks(life, ctx);
    }
    life::leave(life, now, sleeps);
    life.cpu = this_cpu();
    if yields {
        life.pending_ns = 0;
        life.woken = YIELDED + 1;
    }
}

#[inline(always)]
fn note_stacks(life: &mut Life, ctx: &RawTracePointContext) {
    let kernel = ctx.get_stackid(&STACKS, 0);
    let user = ctx.get_stackid(&STACKS, u64::from(BPF_F_USER_STACK));
    life.kernel_stack = kernel.map_or(NO_STACK, |id| id as u32);
    life.user_stack = user.map_or(NO_STACK, |id| id as u32);
}

/// It gets a CPU: who had it until now, it waited for. Where it was woken, what nobody else's program was in its way
/// for is part of the wait. `own` is the group of the thread that it follows, where that is of the run.
#[inline(always)]
fn come(life: &mut Life, now: u64, own: u32) {
    if life.state == RUNNABLE {
        let held = held_before(life, now);
        life.runnable_others_ns += held.others_ns;
        if life.woken != 0 {
            life.pending_ns += held.own_ns + held.idle_ns;
        } else {
            life.runnable_own_ns += held.own_ns;
            life.wakeup_ns += held.idle_ns;
        }
        if life.woken == YIELDED + 1 {
            life.waker = own;
        }
    }
    life.state = RUNNING;
    life.since_ns = now;
    if life.call == 0 {
        life::add_wait(life, ENDED); // a page fault has no end that could tell more
    }
}

/// Who had the CPU that it waited for. Who was made to leave one waited there, wherever it comes back; who was woken waits
/// where it comes back, unless that CPU was idle for longer than it takes to wake it: then it waited where it had been.
#[inline(always)]
fn held_before(life: &Life, now: u64) -> Held {
    let here = this_cpu();
    let left = life.cpu;
    let moved = left != NO_CPU && left != here;
    if moved && life.woken == 0 {
        return occupancy::held(left, life.since_ns, now);
    }
    let held = occupancy::held(here, life.since_ns, now);
    if moved && held.idle_ns > TO_WAKE_NS {
        return occupancy::held(left, life.since_ns, now);
    }
    held
}

/// `sched:sched_waking` (task), on the CPU of whoever wakes it.
#[raw_tracepoint(tracepoint = "sched_waking")]
pub fn waking(ctx: RawTracePointContext) -> i32 {
    let Some(life) = life::of(thread_id(ctx.arg(0))) else {
        return 0;
    };
    if life.state != ASLEEP {
        return 0;
    }
    let current = bpf_get_current_pid_tgid() as u32;
    let (woken_by, waker) = match life::of(current) {
        Some(waker) if waker.ending != 0 || is_exit(waker.call) => (WOKEN_BY_END, waker.group),
        Some(waker) => (WOKEN_BY_THREAD, waker.group),
        None if current == 0 => (WOKEN_BY_KERNEL, 0),
        None => (WOKEN_BY_OTHER, 0),
    };
    life::wake(life, now(), woken_by, waker);
    0
}

#[inline(always)]
fn is_exit(call: u32) -> bool {
    call != 0 && exit().contains(&(call - 1))
}

/// `sched:sched_process_fork` (parent, child).
#[raw_tracepoint(tracepoint = "sched_process_fork")]
pub fn process_fork(ctx: RawTracePointContext) -> i32 {
    let parent = thread_id(ctx.arg(0));
    if life::of(parent).is_some() {
        let child = ctx.arg(1);
        life::begin(thread_id(child), process_id(child), parent, RUNNABLE);
    }
    0
}

/// `sched:sched_process_exec` (task, old pid, binary).
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn process_exec(_: RawTracePointContext) -> i32 {
    if let Some(life) = life::current() {
        life.comm = bpf_get_current_comm().unwrap_or_default();
    }
    0
}

/// `sched:sched_process_exit` (task): a thread ends.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
pub fn process_exit(ctx: RawTracePointContext) -> i32 {
    let Some(life) = life::of(thread_id(ctx.arg(0))) else {
        return 0;
    };
    let now = now();
    life::settle(life, now);
    life.ending = 1;
    life.died_ns = now;
    life.comm = bpf_get_current_comm().unwrap_or_default();
    if life.call != 0 {
        calls::close(life, now, 0);
    }
    0
}
