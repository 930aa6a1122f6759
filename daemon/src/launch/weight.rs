//! What our own probes add to a launch, measured on this machine, there and then.

use std::path::Path;
use std::time::Duration;

use wbd_linux::gate::{Identity, Program};

use super::process::{Launcher, MeansError};
use super::slot::Slot;
use crate::collect::kernel::Kernel;

/// Launches with and without probes take turns in blocks of this many, so that both meet the same noise.
const BLOCK: usize = 25;
/// Blocks of each kind.
const BLOCKS: usize = 8;
/// After attaching or detaching the kernel patches its own code on all CPUs and waits for each to pass a
/// quiet point; what is launched meanwhile takes milliseconds.
const SETTLE: Duration = Duration::from_millis(50);

/// A launch with our probes against one without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Median life of the program with every latency probe attached, from before `clone3` to its being
    /// reaped, nanoseconds.
    pub(crate) with_ns: u64,
    /// The same with none attached.
    pub(crate) without_ns: u64,
    /// Spread of the lives without probes: from the first quartile to the third, nanoseconds.
    pub(crate) spread_ns: u64,
    /// Launches of each kind.
    pub(crate) launches: usize,
}

/// Launches `program`, one of ours which should do nothing, with and without probes in turns. It runs as root: nobody
/// else can stop it, and it is waited for without a limit.
pub(crate) fn measure(
    launcher: &mut Launcher,
    kernel: &mut Kernel,
    slot: &mut Slot,
    program: &Path,
) -> Result<Weight, MeansError> {
    let name = program.display().to_string();
    let root = Identity {
        uid: 0,
        gid: 0,
        groups: Vec::new(),
    };
    let program = Program::new(&name, std::slice::from_ref(&name), &[], "/", root);
    let program = program.map_err(|error| MeansError::Program(error.to_string()))?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        kernel.detach();
        block(kernel, slot, launcher, &program, &mut without)?;
        kernel.attach()?;
        block(kernel, slot, launcher, &program, &mut with)?;
    }
    Ok(Weight {
        with_ns: quantile(&mut with, 2),
        without_ns: quantile(&mut without, 2),
        spread_ns: quantile(&mut without, 3) - quantile(&mut without, 1),
        launches: BLOCK * BLOCKS,
    })
}

fn block(
    kernel: &mut Kernel,
    slot: &mut Slot,
    launcher: &mut Launcher,
    program: &Program,
    lives: &mut Vec<u64>,
) -> Result<(), MeansError> {
    std::thread::sleep(SETTLE);
    for _ in 0..BLOCK {
        lives.push(launcher.life(kernel, slot, program)?);
    }
    Ok(())
}

/// The value at a quarter, half or three quarters of the way.
fn quantile(values: &mut [u64], quarters: usize) -> u64 {
    values.sort_unstable();
    values[values.len() * quarters / 4]
}
