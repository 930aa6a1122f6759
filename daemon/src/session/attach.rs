//! What the kernel side is attached to for one experiment: the marks of its runners, and what shows of programs that
//! mark nothing.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use wbd_linux::gate::Identity;
use wbd_linux::image::{self, DEEPEST, RunBy};
use wbd_linux::{caller_file, entry, start};

use super::plan::{Means, Plan};
use super::prepare::{How, ReadyCell};
use crate::collect::kernel::{Kernel, KernelError};
use crate::collect::sample::Guest;

/// Attaches what the cells need.
pub(super) fn attach(kernel: &mut Kernel, plan: &Plan, ready: &[ReadyCell]) -> Result<(), KernelError> {
    kernel.attach()?;
    let mut runners: Vec<&Path> = ready
        .iter()
        .filter_map(|cell| match &plan.cells[cell.index].means {
            Ok(Means::Runner { runner, .. }) => Some(runner.as_path()),
            _ => None,
        })
        .collect();
    runners.sort_unstable();
    runners.dedup();
    runners
        .into_iter()
        .try_for_each(|runner| kernel.attach_marks(runner))?;
    kernel.spare();
    if plan
        .cells
        .iter()
        .any(|cell| matches!(cell.means, Ok(Means::Container { .. } | Means::Client(_))))
    {
        kernel.attach_to_containers()?;
    }
    if plan.request.switches {
        kernel.attach_to_switches()?;
    }
    attach_to_engine(kernel, plan)?;
    attach_to_entries(kernel, plan, ready)
}

/// For a command that runs a module: what shows of an engine, and the start of its guest where a file holds its
/// machine code. No other experiment pays for these probes.
fn attach_to_engine(kernel: &mut Kernel, plan: &Plan) -> Result<(), KernelError> {
    for cell in &plan.cells {
        if let Ok(Means::Engine { module, .. }) = &cell.means {
            kernel.attach_to_engines()?;
            // What the caller may not read, or is no machine code, shows by its effects alone.
            let file = caller_file::open(module, &plan.caller).ok();
            let found = file.and_then(|file| Some((start::in_file(&file)?, file)));
            if let Some((offset, file)) = found {
                kernel.attach_to_start(&file, offset)?;
            }
        }
    }
    Ok(())
}

/// To the entry points of programs where no fault shows them. Those of other programs have none of this probe's cost, nor
/// the page it writes to.
fn attach_to_entries(kernel: &mut Kernel, plan: &Plan, ready: &[ReadyCell]) -> Result<(), KernelError> {
    let program = |cell: &ReadyCell| match &cell.how {
        How::Process {
            program,
            guest: Guest::Entry | Guest::Marked,
        } => Some(PathBuf::from(OsStr::from_bytes(program.path().to_bytes()))),
        _ => None,
    };
    let programs: BTreeSet<PathBuf> = ready.iter().filter_map(program).collect();
    for path in programs {
        if let Some((file, offset)) = hidden_entry(path, &plan.caller) {
            kernel.attach_to_start(&file, offset)?;
        }
    }
    Ok(())
}

/// Of what the kernel runs for this file: itself, or its interpreter. What the caller may not read shows nothing.
fn hidden_entry(mut path: PathBuf, caller: &Identity) -> Option<(File, u64)> {
    for _ in 0..DEEPEST {
        let file = caller_file::open(&path, caller).ok()?;
        match image::run_by(&file).ok()? {
            RunBy::Interpreter(interpreter) => path = interpreter,
            RunBy::Itself => return None,
            RunBy::Loader(_) => return entry::hidden(&file).map(|offset| (file, offset)),
        }
    }
    None
}
