//! The life of a process: execve, the new image, forks, exit.

use aya_ebpf::macros::{kprobe, raw_tracepoint, tracepoint};
use aya_ebpf::programs::{ProbeContext, RawTracePointContext, TracePointContext};
use wbd_abi::{EventKind, Process};

use crate::first_user;
use crate::maps::{HELPERS, PEAKS};
use crate::run::{Run, current_cpu, current_pid};
use crate::task::Task;

/// `syscalls:sys_enter_execve` and `syscalls:sys_enter_execveat`.
#[tracepoint]
pub fn execve_enter(_: TracePointContext) -> u32 {
    if let Some(run) = Run::of_current() {
        run.adopt_root();
        let mut event = run.event(EventKind::Launch);
        event.a = current_cpu();
        run.send(event);
    }
    0
}

/// `sched:sched_process_exec` (task, old pid, binary): the new image is in place.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn process_exec(ctx: RawTracePointContext) -> i32 {
    if let Some(run) = Run::of_current() {
        report_exec(&run, Task::at(ctx.arg(0)));
    }
    0
}

#[inline(always)]
fn report_exec(run: &Run, task: Task) {
    let image = task.memory().map(|memory| memory.image()).unwrap_or_default();
    let mut event = run.event(EventKind::Exec);
    event.a = image.linker;
    event.b = image.entry;
    if !run.is_helper() {
        let watched = Process {
            entry: image.entry,
            first_user_seen: 0,
        };
        if first_user::watch(event.pid, &watched).is_err() {
            run.count_lost();
        }
    }
    run.send(event);
}

/// `sched:sched_process_fork` (parent, child).
#[raw_tracepoint(tracepoint = "sched_process_fork")]
pub fn process_fork(ctx: RawTracePointContext) -> i32 {
    if let Some(run) = Run::of_current() {
        report_fork(&run, Task::at(ctx.arg(0)), Task::at(ctx.arg(1)));
    }
    0
}

#[inline(always)]
fn report_fork(run: &Run, parent: Task, child: Task) {
    let pid = child.process_id();
    if pid != child.thread_id() {
        return run.count_thread();
    }
    run.count_fork();
    if run.is_helper() && HELPERS.insert(&pid, &run.key, 0).is_err() {
        run.count_lost();
    }
    let mut event = run.event(EventKind::Fork);
    event.pid = pid;
    event.tid = pid;
    event.a = u64::from(parent.process_id());
    run.send(event);
}

/// `taskstats_exit`, which every ending thread passes with its memory map. Kernels before 6.16 drop the map before
/// they reach `sched_process_exit`: for those the peak is noted here.
#[kprobe]
pub fn memory_ends(_: ProbeContext) -> u32 {
    let task = Task::current();
    if Run::of_current().is_some()
        && task.is_last_thread()
        && let Some(memory) = task.memory()
    {
        let _ = PEAKS.insert(&current_pid(), &memory.peak_resident_pages(), 0); // the map drops the oldest by itself
    }
    0
}

/// The peak of an ending process, from its memory map or from what was noted while it had one; 0 where neither is.
#[inline(always)]
fn peak_pages(task: Task, pid: u32) -> u64 {
    if let Some(memory) = task.memory() {
        return memory.peak_resident_pages();
    }
    // SAFETY: the value is a number that is only ever replaced as a whole.
    let noted = unsafe { PEAKS.get(&pid) }.copied().unwrap_or(0);
    let _ = PEAKS.remove(&pid); // absent where nothing was noted
    noted
}

/// `sched:sched_process_exit` (task): a thread ends; the last one ends the process.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
pub fn process_exit(ctx: RawTracePointContext) -> i32 {
    let task = Task::at(ctx.arg(0));
    if let Some(run) = Run::of_current() {
        run.add_used(task);
        if task.is_last_thread() {
            report_exit(&run, task);
        }
    }
    0
}

#[inline(always)]
fn report_exit(run: &Run, task: Task) {
    let mut event = run.event(EventKind::Exit);
    event.a = peak_pages(task, event.pid);
    event.b = u64::from(task.exit_code());
    run.close_root();
    first_user::forget(event.pid);
    if run.is_helper() {
        let _ = HELPERS.remove(&event.pid); // gone already where the map was full
    }
    run.send(event);
}
