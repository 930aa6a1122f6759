//! Marks of instrumented runners, and cgroups and namespaces made by a container engine.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::helpers::generated::bpf_get_attach_cookie;
use aya_ebpf::macros::{tracepoint, uprobe};
use aya_ebpf::programs::{ProbeContext, TracePointContext};
use wbd_abi::EventKind;

use crate::maps::{CONTAINERS, UNSHARING};
use crate::run::Run;

/// Where `cgroup:cgroup_mkdir` keeps the hierarchy's number, and the new cgroup's id.
const HIERARCHY: usize = 8;
const CGROUP_ID: usize = 16;
/// Where `syscalls:sys_enter_unshare` keeps its flags, and `sys_exit_unshare` its result.
const FLAGS: usize = 16;
const RESULT: usize = 16;
/// Flags of namespaces that make up a container: mount, UTS, IPC, PID, network.
const NAMESPACES: u64 = 0x0002_0000 | 0x0400_0000 | 0x0800_0000 | 0x2000_0000 | 0x4000_0000;
/// Number of the unified hierarchy.
const UNIFIED: i32 = 0;

/// A mark was passed; the attachment's cookie says which.
#[uprobe]
pub fn mark(ctx: ProbeContext) -> u32 {
    if let Some(run) = Run::of_current() {
        let mut event = run.event(EventKind::Mark);
        // SAFETY: the context is the one this program was called with.
        event.a = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
        run.send(event);
    }
    0
}

/// `cgroup:cgroup_mkdir`.
#[tracepoint]
pub fn cgroup_mkdir(ctx: TracePointContext) -> u32 {
    // SAFETY: the offsets are fields of the tracepoint's record, which the daemon has checked on loading.
    let (hierarchy, id) = unsafe { (ctx.read_at::<i32>(HIERARCHY), ctx.read_at::<u64>(CGROUP_ID)) };
    if let (Ok(UNIFIED), Ok(id), Some(run)) = (hierarchy, id, Run::of_current()) {
        let mut event = run.event(EventKind::CgroupMade);
        event.a = id;
        if run.is_helper() && CONTAINERS.insert(&id, &run.key, 0).is_err() {
            run.count_lost();
        }
        run.send(event);
    }
    0
}

/// `syscalls:sys_enter_unshare`.
#[tracepoint]
pub fn unshare_enter(ctx: TracePointContext) -> u32 {
    // SAFETY: a field of the tracepoint's record (`struct syscall_trace_enter`).
    let flags: u64 = unsafe { ctx.read_at(FLAGS) }.unwrap_or(0);
    if flags & NAMESPACES != 0
        && let Some(run) = Run::of_current()
        && UNSHARING.insert(&current_tid(), &flags, 0).is_err()
    {
        run.count_lost();
    }
    0
}

/// `syscalls:sys_exit_unshare`.
#[tracepoint]
pub fn unshare_exit(ctx: TracePointContext) -> u32 {
    let tid = current_tid();
    // SAFETY: the value is a number that is only ever replaced as a whole.
    let Some(flags) = (unsafe { UNSHARING.get(&tid) }).copied() else {
        return 0;
    };
    let _ = UNSHARING.remove(&tid); // this thread alone adds and removes it
    // SAFETY: a field of the tracepoint's record (`struct syscall_trace_exit`).
    let result: i64 = unsafe { ctx.read_at(RESULT) }.unwrap_or(-1);
    if result == 0
        && let Some(run) = Run::of_current()
    {
        let mut event = run.event(EventKind::Unshared);
        event.a = flags;
        run.send(event);
    }
    0
}

#[inline(always)]
fn current_tid() -> u32 {
    bpf_get_current_pid_tgid() as u32
}
