//! What each hit of our probes costs, measured on this machine, there and then: by the clock where somebody else pays for it
//! (a system call, a mark), and by the kernel's own statistics of our BPF programs.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use nix::unistd::getppid;
use probe::probe;
use wbd_linux::clock::monotonic_ns;
use wbd_linux::gate::{Identity, Program};
use wbd_linux::process::trim_heap;

use super::process::{Launcher, MeansError};
use super::slot::Slot;
use crate::collect::kernel::Kernel;

/// Turns of each kind; the best of each counts: what disturbs a loop only makes it longer.
const TURNS: usize = 5;
/// Calls or marks in one turn.
const HITS: u32 = 20_000;
/// Launches under the kernel's statistics.
const LAUNCHES: u32 = 100;
/// As in `weight`: after attaching the kernel has its own work to do.
const SETTLE: Duration = Duration::from_millis(50);

/// The USDT probe of the daemon's own that is passed to see what a mark costs.
const OWN_MARK: &str = "weighed";

/// What hits cost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hits {
    /// The shortest system call with our probes off, nanoseconds.
    pub(crate) call_off_ns: f64,
    /// The same with all on: every call of every process on the machine.
    pub(crate) call_on_ns: f64,
    /// A mark that is watched, beyond one that is not, nanoseconds: without the record that a run's mark makes.
    pub(crate) mark_ns: f64,
    /// Launches that the kernel's statistics are of.
    pub(crate) launches: u32,
    /// How long these took, nanoseconds.
    pub(crate) took_ns: u64,
    /// The kernel's statistics of each program that ran meanwhile, whoever made it run.
    pub(crate) programs: Vec<ProgramTime>,
}

/// The kernel's statistics of a BPF program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProgramTime {
    /// Its name.
    pub(crate) name: String,
    /// How often it ran.
    pub(crate) hits: u64,
    /// How long in all, nanoseconds.
    pub(crate) ns: u64,
}

/// Measures; leaves the kernel side attached.
pub(crate) fn measure(
    launcher: &mut Launcher,
    kernel: &mut Kernel,
    slot: &mut Slot,
    program: &Path,
) -> Result<Hits, MeansError> {
    let mut call_off_ns = f64::MAX;
    let mut call_on_ns = f64::MAX;
    for _ in 0..TURNS {
        kernel.detach();
        call_off_ns = call_off_ns.min(settled(a_call));
        kernel.attach()?;
        call_on_ns = call_on_ns.min(settled(a_call));
    }
    let unwatched = best(a_mark);
    kernel.attach_to_own_mark(OWN_MARK)?;
    trim_heap(); // to find the mark, the daemon's own file was read
    let mark_ns = (settled(a_mark).min(best(a_mark)) - unwatched).max(0.0);
    kernel.spare();
    let (took_ns, programs) = statistics(launcher, kernel, slot, program)?;
    Ok(Hits {
        call_off_ns,
        call_on_ns,
        mark_ns,
        launches: LAUNCHES,
        took_ns,
        programs,
    })
}

/// Launches `program` while the kernel keeps statistics of BPF programs: how long that took, and what they say.
fn statistics(
    launcher: &mut Launcher,
    kernel: &mut Kernel,
    slot: &mut Slot,
    program: &Path,
) -> Result<(u64, Vec<ProgramTime>), MeansError> {
    let name = program.display().to_string();
    let root = Identity {
        uid: 0,
        gid: 0,
        groups: Vec::new(),
    };
    let program = Program::new(&name, std::slice::from_ref(&name), &[], "/", root);
    let program = program.map_err(|error| MeansError::Program(error.to_string()))?;
    let keeping = kernel.keep_statistics()?;
    let before = kernel.statistics();
    let begun = monotonic_ns();
    for _ in 0..LAUNCHES {
        launcher.life(kernel, slot, &program)?;
    }
    let took_ns = monotonic_ns() - begun;
    let after = kernel.statistics();
    drop(keeping);
    Ok((took_ns, difference(&before, after)))
}

/// What ran between two looks.
fn difference(before: &[ProgramTime], after: Vec<ProgramTime>) -> Vec<ProgramTime> {
    let since = |mut program: ProgramTime| {
        if let Some(old) = before.iter().find(|old| old.name == program.name) {
            program.hits -= old.hits.min(program.hits);
            program.ns -= old.ns.min(program.ns);
        }
        program
    };
    let ran = |program: &ProgramTime| program.hits > 0;
    after.into_iter().map(since).filter(ran).collect()
}

fn settled(hit: fn()) -> f64 {
    std::thread::sleep(SETTLE);
    best(hit)
}

/// Nanoseconds of one hit in the fastest of a few short loops.
fn best(hit: fn()) -> f64 {
    const LOOPS: u32 = 10;
    let each = |_| {
        let begun = monotonic_ns();
        for _ in 0..HITS / LOOPS {
            hit();
        }
        (monotonic_ns() - begun) as f64 / f64::from(HITS / LOOPS)
    };
    (0..LOOPS).map(each).fold(f64::MAX, f64::min)
}

fn a_call() {
    black_box(getppid());
}

/// A place by itself: inlined, there might be several of them.
#[inline(never)]
fn a_mark() {
    probe!(wbd, weighed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &str, hits: u64, ns: u64) -> ProgramTime {
        ProgramTime {
            name: name.to_owned(),
            hits,
            ns,
        }
    }

    #[test]
    fn what_ran_before_is_not_counted_and_what_did_not_run_is_not_named() {
        let before = [program("fork", 10, 1000), program("exit", 5, 500)];
        let after = vec![
            program("fork", 12, 1300),
            program("exit", 5, 500),
            program("exec", 1, 90),
        ];
        assert_eq!(
            difference(&before, after),
            [program("fork", 2, 300), program("exec", 1, 90)]
        );
    }

    #[test]
    fn a_system_call_takes_some_time_and_not_much() {
        let ns = best(a_call);
        assert!(ns > 1.0 && ns < 1e6, "{ns}");
    }
}
