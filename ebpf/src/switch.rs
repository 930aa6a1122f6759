//! Context switches of a run's own threads: which CPU each was on, and when it could have been on one. Attached only where an
//! experiment asked for them, since every switch on the machine then passes here.

use aya_ebpf::macros::raw_tracepoint;
use aya_ebpf::programs::RawTracePointContext;
use wbd_abi::{EventKind, LEFT_ENDED, LEFT_READY, LEFT_SLEEPING};

use crate::maps::THREADS;
use crate::run::{Run, current_cpu};
use crate::task::Task;

/// A task that has ended leaves its CPU in this state (`TASK_DEAD`).
const DEAD: u32 = 0x80;

/// `sched:sched_switch` (preempted, previous task, next task, the previous one's state).
#[raw_tracepoint(tracepoint = "sched_switch")]
pub fn switch(ctx: RawTracePointContext) -> i32 {
    let preempted = ctx.arg::<u64>(0) & 1 != 0;
    let state = ctx.arg::<u64>(3) as u32;
    if let Some(run) = Run::of_target() {
        leave(&run, preempted, state);
    }
    let next = Task::at(ctx.arg(2));
    tell(next, EventKind::OnCpu);
    0
}

#[inline(always)]
fn leave(run: &Run, preempted: bool, state: u32) {
    let mut event = run.event(EventKind::OffCpu);
    event.a = current_cpu();
    event.b = if state & DEAD != 0 {
        LEFT_ENDED
    } else if state == 0 || preempted {
        LEFT_READY
    } else {
        LEFT_SLEEPING
    };
    remember(run, event.tid, event.b == LEFT_ENDED);
    run.send(event);
}

#[inline(always)]
fn remember(run: &Run, tid: u32, ended: bool) {
    if ended {
        let _ = THREADS.remove(&tid); // it may have lived without being switched to
    } else if THREADS.insert(&tid, &[run.key, run.number()], 0).is_err() {
        run.count_lost();
    }
}

/// `sched:sched_process_fork` (parent, child): a thread or process more, ready to run.
#[raw_tracepoint(tracepoint = "sched_process_fork")]
pub fn thread_made(ctx: RawTracePointContext) -> i32 {
    if let Some(run) = Run::of_target() {
        let child = Task::at(ctx.arg(1));
        remember(&run, child.thread_id(), false);
        tell(child, EventKind::Ready);
    }
    0
}

/// `sched:sched_waking` (task): it need not sleep any longer.
#[raw_tracepoint(tracepoint = "sched_waking")]
pub fn waking(ctx: RawTracePointContext) -> i32 {
    tell(Task::at(ctx.arg(0)), EventKind::Ready);
    0
}

/// Sends an event of another task than the current one, where it is a run's.
#[inline(always)]
fn tell(task: Task, kind: EventKind) {
    let tid = task.thread_id();
    // SAFETY: a thread's value is replaced by one of another run only once it has ended, and then means nothing to anybody.
    let Some(&[key, number]) = (unsafe { THREADS.get(&tid) }) else {
        return;
    };
    // A thread that ended after its run was told leaves its id behind, and the id may be another's by now.
    if let Some(run) = Run::by_key(key)
        && run.number() == number
    {
        run.send(run.event_of(kind, task.process_id(), tid, current_cpu()));
    }
}
