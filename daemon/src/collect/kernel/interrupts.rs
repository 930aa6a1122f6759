//! The tracepoints of interrupts, which not every kernel has: without them a run is measured all the same.

use aya::Ebpf;
use aya::programs::RawTracePoint;
use aya::programs::raw_trace_point::RawTracePointLink;

use super::links::Links;
use super::{KernelError, typed};

/// Programs that see interrupts begin and end.
pub(super) const PROGRAMS: [&str; 4] = [
    "interrupt_entry",
    "interrupt_exit",
    "softirq_entry",
    "softirq_exit",
];

/// What every kernel with tracepoints has: program and tracepoint.
const COMMON: [(&str, &str); 4] = [
    ("interrupt_entry", "irq_handler_entry"),
    ("interrupt_exit", "irq_handler_exit"),
    ("softirq_entry", "softirq_entry"),
    ("softirq_exit", "softirq_exit"),
];

/// The CPU's own interrupts, whose tracepoints only x86 has: elsewhere most are an interrupt like a device's.
const VECTORS: [(&str, &str); 10] = [
    ("interrupt_entry", "local_timer_entry"),
    ("interrupt_exit", "local_timer_exit"),
    ("interrupt_entry", "reschedule_entry"),
    ("interrupt_exit", "reschedule_exit"),
    ("interrupt_entry", "call_function_entry"),
    ("interrupt_exit", "call_function_exit"),
    ("interrupt_entry", "call_function_single_entry"),
    ("interrupt_exit", "call_function_single_exit"),
    ("interrupt_entry", "irq_work_entry"),
    ("interrupt_exit", "irq_work_exit"),
];

/// Attaches to all interrupts this kernel tells of.
pub(super) fn attach(ebpf: &mut Ebpf) -> Result<Links<RawTracePointLink>, KernelError> {
    let mut links = Links::default();
    for (program, tracepoint) in COMMON {
        links.push(attach_one(ebpf, program, tracepoint)?);
    }
    for (program, tracepoint) in VECTORS {
        if let Ok(link) = attach_one(ebpf, program, tracepoint) {
            links.push(link);
        }
    }
    Ok(links)
}

fn attach_one(
    ebpf: &mut Ebpf,
    program: &'static str,
    tracepoint: &str,
) -> Result<RawTracePointLink, KernelError> {
    let typed = typed::<RawTracePoint>(ebpf, program)?;
    let link = typed.attach(tracepoint).and_then(|id| typed.take_link(id));
    link.map_err(|source| KernelError::Program { program, source })
}
