//! What can be seen of a Wasm engine that marks nothing: the module opened, code made executable, and the
//! first output. Attached only where a command names a module.

use aya_ebpf::helpers::bpf_probe_read_user_str_bytes;
use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use wbd_abi::{EventKind, MAX_EXECUTABLE, Seen};

use crate::maps::SEEN;
use crate::run::Run;

/// Where `syscalls:sys_enter_*` keep the first three arguments.
const ARGS: [usize; 3] = [16, 24, 32];
/// A mapping's code may run (`PROT_EXEC`).
const PROT_EXEC: u64 = 4;
/// Longest path that is looked at.
const PATH_BYTES: usize = 256;
/// How the names of modules end, as the last four bytes: `.wasm`, `.cwasm` and the like, and `.wat`.
const ENDINGS: [[u8; 4]; 2] = [*b"wasm", *b".wat"];

#[inline(always)]
fn arg(ctx: &TracePointContext, at: usize) -> u64 {
    // SAFETY: the first arguments of every such record lie there (`struct syscall_trace_enter`).
    unsafe { ctx.read_at(ARGS[at]) }.unwrap_or(0)
}

/// `syscalls:sys_enter_openat`.
#[tracepoint]
pub fn open_enter(ctx: TracePointContext) -> u32 {
    if let Some(run) = Run::of_current()
        && !run.is_helper()
        && names_a_module(arg(&ctx, 1))
    {
        run.send(run.event(EventKind::Opened));
    }
    0
}

#[inline(always)]
fn names_a_module(path: u64) -> bool {
    let mut text = [0; PATH_BYTES];
    // SAFETY: the helper itself checks that the address is readable.
    let Ok(read) = (unsafe { bpf_probe_read_user_str_bytes(path as *const u8, &mut text) }) else {
        return false;
    };
    let length = read.len();
    if !(4..PATH_BYTES).contains(&length) {
        return false;
    }
    let last = |back: usize| text[(length - back) & (PATH_BYTES - 1)];
    ENDINGS.contains(&[last(4), last(3), last(2), last(1)])
}

/// `syscalls:sys_enter_mprotect` and `syscalls:sys_enter_mmap`, whose first three arguments mean the same.
#[tracepoint]
pub fn protect_enter(ctx: TracePointContext) -> u32 {
    if arg(&ctx, 2) & PROT_EXEC == 0 {
        return 0;
    }
    if let Some(run) = Run::of_current()
        && !run.is_helper()
    {
        report_executable(&run, arg(&ctx, 0), arg(&ctx, 1));
    }
    0
}

#[inline(always)]
fn report_executable(run: &Run, address: u64, bytes: u64) {
    let mut event = run.event(EventKind::Executable);
    let Some(seen) = seen(run, &event) else { return };
    if seen.executable >= MAX_EXECUTABLE {
        return;
    }
    seen.executable += 1;
    event.a = address;
    event.b = bytes;
    run.send(event);
}

/// `syscalls:sys_enter_write` and `syscalls:sys_enter_writev`: the first to standard output or error, and the first
/// after more code was made, since an engine may have said something itself before it made any.
#[tracepoint]
pub fn write_enter(ctx: TracePointContext) -> u32 {
    let descriptor = arg(&ctx, 0);
    if descriptor != 1 && descriptor != 2 {
        return 0;
    }
    if let Some(run) = Run::of_current()
        && !run.is_helper()
    {
        report_output(&run, descriptor);
    }
    0
}

#[inline(always)]
fn report_output(run: &Run, descriptor: u64) {
    let mut event = run.event(EventKind::Output);
    let Some(seen) = seen(run, &event) else { return };
    if seen.output <= seen.executable {
        seen.output = seen.executable + 1;
        event.a = descriptor;
        run.send(event);
    }
}

/// What was reported of the event's process so far. Threads that change it at once may report one event twice,
/// or one too few of the many: neither is counted.
#[inline(always)]
fn seen<'a>(run: &Run, event: &wbd_abi::Event) -> Option<&'a mut Seen> {
    let key = event.run << 32 | u64::from(event.pid);
    if SEEN.get_ptr_mut(&key).is_none() && SEEN.insert(&key, &Seen::default(), 0).is_err() {
        run.count_lost();
    }
    // SAFETY: the pointer is to plain numbers, and map values live until an RCU period after.
    SEEN.get_ptr_mut(&key).map(|seen| unsafe { &mut *seen })
}
