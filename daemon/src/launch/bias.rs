//! How early a program's first instruction is seen here: its fault is reported as it begins, so the time it takes is missing.
//!
//! A static program that reads the clock as its very first act is launched like any target, and the instant it was seen at is
//! held against what it read. The reading itself, one entry into the kernel, is part of the bias that is told.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::memfd::{MFdFlags, memfd_create};
use wbd_linux::gate::{Identity, Program};
use wbd_model::InstantName;
use wbd_model::host::EntryBias;

use super::process::{Launcher, Limits, MeansError, system};
use super::slot::Slot;
use crate::collect::kernel::Kernel;
use crate::collect::sample::{self, Expected, Guest};
use crate::session::cancel::Cancel;

/// Launches; together they take some milliseconds.
const LAUNCHES: u32 = 50;
/// Those before, in which the page cache and the caches of the CPU get warm.
const WARM_UP: u32 = 5;

const LIMITS: Limits = Limits {
    time: Duration::from_secs(5),
    output_bytes: 4096,
    memory_bytes: u64::MAX,
};

/// The calibration of this machine: made when it is first wanted.
pub(crate) struct Calibration {
    program: PathBuf,
    bias: Option<EntryBias>,
}

impl Calibration {
    /// By this program, which appends what it read to the file that is its argument.
    pub(crate) fn by(program: PathBuf) -> Self {
        Self { program, bias: None }
    }

    /// The bias as it was first measured; `None` where it cannot be, which the log explains.
    pub(crate) fn bias(
        &mut self,
        launcher: &mut Launcher,
        kernel: &mut Kernel,
        slot: &mut Slot,
    ) -> Option<EntryBias> {
        if self.bias.is_none() {
            match self.measure(launcher, kernel, slot) {
                Ok(bias) => self.bias = Some(bias),
                Err(error) => tracing::warn!("how early first instructions are seen is not known: {error}"),
            }
        }
        self.bias
    }

    /// Measures the bias anew, with the kernel side attached.
    pub(crate) fn measure(
        &self,
        launcher: &mut Launcher,
        kernel: &mut Kernel,
        slot: &mut Slot,
    ) -> Result<EntryBias, MeansError> {
        let told = memfd_create(c"wbd-clock", MFdFlags::MFD_CLOEXEC).map(File::from);
        let mut told = told.map_err(|error| system("make a file in memory")(error.into()))?;
        let program = self.program(&told)?;
        let cancel = Cancel::new().map_err(system("make an event"))?;
        let mut seen = Vec::new();
        for run in 0..WARM_UP + LAUNCHES {
            let observed = launcher.run(kernel, slot, &program, LIMITS, &cancel)?;
            let expected = Expected {
                output: None,
                guest: Guest::Entry,
            };
            let sample = sample::of_process(observed, &expected, run, run);
            seen.push(sample.instants.get(&InstantName::Entry).map(|entry| entry.ns));
        }
        let mut text = String::new();
        told.read_to_string(&mut text)
            .map_err(system("read what the clock program wrote"))?;
        let read: Vec<Option<u64>> = text.lines().map(|line| line.parse().ok()).collect();
        let missing = || {
            MeansError::Program(format!(
                "{}: it did not tell its clock in every run",
                self.program.display()
            ))
        };
        if read.len() != seen.len() {
            return Err(missing());
        }
        let early = read.iter().zip(&seen).skip(WARM_UP as usize);
        let early: Option<Vec<u64>> = early.map(|(&read, &seen)| read?.checked_sub(seen?)).collect();
        early.and_then(of).ok_or_else(missing)
    }

    fn program(&self, told: &File) -> Result<Program, MeansError> {
        let name = self.program.display().to_string();
        let told = format!("/proc/{}/fd/{}", std::process::id(), told.as_raw_fd());
        let root = Identity {
            uid: 0,
            gid: 0,
            groups: Vec::new(),
        };
        let program = Program::new(&name, &[name.clone(), told], &[], "/", root);
        program.map_err(|error| MeansError::Program(error.to_string()))
    }
}

/// The bias from how early each launch was seen, in nanoseconds.
fn of(mut early: Vec<u64>) -> Option<EntryBias> {
    early.sort_unstable();
    let at = |percent: usize| early.get(early.len() * percent / 100).copied();
    Some(EntryBias {
        early_ns: at(50)?,
        p98_ns: at(98)?,
        launches: early.len() as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bias_is_the_middle_launchs_and_one_slow_launch_does_not_move_it() {
        let mut early: Vec<u64> = (4_000..4_050).collect();
        early[3] = 1_000_000;
        let bias = of(early).unwrap();
        assert!(bias.early_ns.abs_diff(4_025) <= 1, "{bias:?}");
        assert_eq!((bias.p98_ns, bias.launches), (1_000_000, 50));
        assert_eq!(of(Vec::new()), None);
    }
}
