//! Peaks of resident memory on kernels that report the end of a process after its memory map is gone.
//!
//! Those before 6.16 do. Every ending thread of theirs passes a function with the map still there, which a kprobe can
//! stand on; where it cannot, the metric is absent for the reason the kernel gave.

use aya::Ebpf;
use aya::programs::KProbe;
use aya::programs::kprobe::KProbeLink;
use wbd_linux::release;

use super::links::Links;
use super::{KernelError, typed};

const PROGRAM: &str = "memory_ends";
const FUNCTION: &str = "taskstats_exit";
/// From this release on `sched_process_exit` comes while the process still has its map.
const MAP_KEPT_SINCE: (u32, u32) = (6, 16);

/// What is attached; nothing where the tracepoint does by itself.
pub(super) type Endings = Links<KProbeLink>;

/// Loads and attaches the program where this kernel needs it.
pub(super) fn attach(ebpf: &mut Ebpf) -> Result<Endings, KernelError> {
    if release::running() >= Some(MAP_KEPT_SINCE) {
        return Ok(Endings::default());
    }
    let refused = |source| KernelError::Program {
        program: PROGRAM,
        source,
    };
    let program = typed::<KProbe>(ebpf, PROGRAM)?;
    if program.fd().is_err() {
        program.load().map_err(refused)?;
    }
    let link = program
        .attach(FUNCTION, 0)
        .and_then(|id| program.take_link(id))
        .map_err(refused)?;
    Ok(Endings::from_iter([link]))
}
