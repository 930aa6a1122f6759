//! Tries each perf counter on ourselves.

use std::hint;

use nix::errno::Errno;
use wbd_linux::perf::{Counted, CounterKind, HardwareEvent, Level};

/// Turns of a loop, of which a working counter of cycles or instructions must see something.
const SPINS: u32 = 100_000;

/// Why a counter is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It opens and stays at 0, as under some hypervisors.
    Silent,
    /// The kernel refused it.
    Refused(Errno),
}

/// A counter that was tried.
pub(super) struct Tried {
    pub(super) counted: Counted,
    pub(super) failure: Option<Failure>,
}

impl Tried {
    pub(super) fn is_hardware(&self) -> bool {
        matches!(self.counted, Counted::Hardware(..))
    }

    pub(super) fn name(&self) -> &'static str {
        match self.counted {
            Counted::TaskClock => "CPU time",
            Counted::PageFaults => "page faults",
            Counted::ContextSwitches => "context switches",
            Counted::Migrations => "migrations",
            Counted::Hardware(event, _) => match event {
                HardwareEvent::Cycles => "cycles",
                HardwareEvent::Instructions => "instructions",
                HardwareEvent::Branches => "branches",
                HardwareEvent::BranchMisses => "branch misses",
                HardwareEvent::CacheMisses => "cache misses",
                HardwareEvent::DtlbMisses => "data TLB misses",
                HardwareEvent::ItlbMisses => "instruction TLB misses",
            },
        }
    }
}

/// Every counter a run may have. What the program alone makes a hardware counter count is not tried by itself.
pub(super) fn all() -> Vec<Tried> {
    let whole = |counted: &Counted| !matches!(counted, Counted::Hardware(_, Level::User));
    let tried = Counted::all().into_iter().filter(whole).map(|counted| Tried {
        counted,
        failure: count(&CounterKind::of(counted)).err(),
    });
    tried.collect()
}

fn count(kind: &CounterKind) -> Result<(), Failure> {
    let counted = kind.open().and_then(|mut counter| {
        counter.enable()?;
        for spin in 0..SPINS {
            hint::black_box(spin);
        }
        counter.read()
    });
    // Only of these is it certain that there was something to count.
    let must_count = matches!(
        kind.counted,
        Counted::Hardware(HardwareEvent::Cycles | HardwareEvent::Instructions, _)
    );
    match counted {
        Ok(0) if must_count => Err(Failure::Silent),
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Refused(Errno::from_raw(
            error.raw_os_error().unwrap_or(0),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_tried() {
        let tried = all();
        assert_eq!(tried.iter().filter(|tried| tried.is_hardware()).count(), 7);
        for counter in tried.iter().filter(|tried| !tried.is_hardware()) {
            assert_ne!(counter.failure, Some(Failure::Silent), "{}", counter.name());
        }
    }
}
