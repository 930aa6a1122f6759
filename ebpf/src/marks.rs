//! Marks of instrumented runners, and cgroups made by a container engine.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::generated::bpf_get_attach_cookie;
use aya_ebpf::macros::{tracepoint, uprobe};
use aya_ebpf::programs::{ProbeContext, TracePointContext};
use wbd_abi::EventKind;

use crate::maps::CONTAINERS;
use crate::run::Run;

/// Where `cgroup:cgroup_mkdir` keeps the hierarchy's number, and the new cgroup's id.
const HIERARCHY: usize = 8;
const CGROUP_ID: usize = 16;
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
