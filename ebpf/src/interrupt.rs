//! Interrupts that hit the main thread of a run's root process: how many, and how long they took.
//!
//! Hardware interrupts of devices, the CPU's own (timer, other CPUs' calls), and softirqs. The time between
//! the processor's leaving the program and the kernel's tracepoint is not seen, nor what a softirq leaves to
//! ksoftirqd: that thread's time shows as waiting for a CPU.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::raw_tracepoint;
use aya_ebpf::programs::RawTracePointContext;
use wbd_abi::{Interrupted, RunState};

use crate::maps::INTERRUPTED;
use crate::run::root_state;

/// `irq:irq_handler_entry`, `irq_vectors:*_entry`.
#[raw_tracepoint]
pub fn interrupt_entry(_: RawTracePointContext) -> i32 {
    if let (Some(this), Some(_)) = (on_this_cpu(), root_state()) {
        this.hard_since = now();
    }
    0
}

/// `irq:irq_handler_exit`, `irq_vectors:*_exit`.
#[raw_tracepoint]
pub fn interrupt_exit(_: RawTracePointContext) -> i32 {
    if let Some(this) = on_this_cpu() {
        let since = core::mem::take(&mut this.hard_since);
        // One that hit a softirq lies within the softirq's own time.
        if this.soft_since == 0 {
            count(since);
        }
    }
    0
}

/// `irq:softirq_entry`.
#[raw_tracepoint]
pub fn softirq_entry(_: RawTracePointContext) -> i32 {
    if let (Some(this), Some(_)) = (on_this_cpu(), root_state()) {
        this.soft_since = now();
    }
    0
}

/// `irq:softirq_exit`.
#[raw_tracepoint]
pub fn softirq_exit(_: RawTracePointContext) -> i32 {
    if let Some(this) = on_this_cpu() {
        count(core::mem::take(&mut this.soft_since));
    }
    0
}

#[inline(always)]
fn count(since: u64) {
    if since == 0 {
        return;
    }
    if let Some(RunState {
        interrupts,
        interrupt_ns,
        ..
    }) = root_state()
    {
        *interrupts += 1;
        *interrupt_ns += now() - since;
    }
}

#[inline(always)]
fn now() -> u64 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_ktime_get_ns() }
}

#[inline(always)]
fn on_this_cpu() -> Option<&'static mut Interrupted> {
    // SAFETY: this CPU's own copy. A hardware interrupt may come between two steps of a softirq's program, and
    // the two change different fields.
    INTERRUPTED.get_ptr_mut(0).map(|this| unsafe { &mut *this })
}
