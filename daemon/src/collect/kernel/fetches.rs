//! Instruction fetches that fault: on x86 a tracepoint tells them, elsewhere the software event `page-faults`.

use aya::Ebpf;
use aya::programs::perf_event::{
    PerfEventConfig, PerfEventLink, PerfEventScope, SamplePolicy, SoftwareEvent,
};
use aya::programs::raw_trace_point::RawTracePointLink;
use aya::programs::{PerfEvent, RawTracePoint};
use wbd_linux::offsets;

use super::links::Links;
use super::{KernelError, typed};

/// The program of this architecture.
const PROGRAM: &str = if cfg!(target_arch = "aarch64") {
    "page_fault_arm64"
} else {
    "page_fault"
};
const TRACEPOINT: &str = "page_fault_user";

/// What is attached; one of the two is empty.
#[derive(Default)]
pub(super) struct Fetches {
    _tracepoint: Links<RawTracePointLink>,
    /// One on each CPU.
    _events: Links<PerfEventLink>,
}

/// Loads the program.
pub(super) fn load(ebpf: &mut Ebpf) -> Result<(), KernelError> {
    let loaded = if cfg!(target_arch = "aarch64") {
        typed::<PerfEvent>(ebpf, PROGRAM)?.load()
    } else {
        typed::<RawTracePoint>(ebpf, PROGRAM)?.load()
    };
    loaded.map_err(refused)
}

/// Attaches it.
pub(super) fn attach(ebpf: &mut Ebpf) -> Result<Fetches, KernelError> {
    let mut fetches = Fetches::default();
    if cfg!(target_arch = "aarch64") {
        let program = typed::<PerfEvent>(ebpf, PROGRAM)?;
        for cpu in 0..offsets::possible_cpus() {
            fetches._events.push(attach_to_cpu(program, cpu)?);
        }
    } else {
        let program = typed::<RawTracePoint>(ebpf, PROGRAM)?;
        let link = program.attach(TRACEPOINT).and_then(|id| program.take_link(id));
        fetches._tracepoint.push(link.map_err(refused)?);
    }
    Ok(fetches)
}

/// Every fault counts: a period of one.
fn attach_to_cpu(program: &mut PerfEvent, cpu: u32) -> Result<PerfEventLink, KernelError> {
    let link = program.attach(
        PerfEventConfig::Software(SoftwareEvent::PageFaults),
        PerfEventScope::AllProcessesOneCpu { cpu },
        SamplePolicy::Period(1),
        false,
    );
    link.and_then(|id| program.take_link(id)).map_err(refused)
}

fn refused(source: aya::programs::ProgramError) -> KernelError {
    KernelError::Program {
        program: PROGRAM,
        source,
    }
}
