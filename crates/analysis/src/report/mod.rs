//! The report: an experiment's figures beside those of the study this project grew out of.
//!
//! ```text
//! cells with their samples ──┬── tables      time and memory, workload by workload
//! data/study.toml ───────────┤── startup     the first instruction, against the container's
//!                            ├── overhead    what a container costs beside its program
//!                            └── claims      what is said of Wasm, answered by ratios
//! ```
//!
//! The study timed whole commands, so its times are held against `wall`. It ran each once: what it prints is
//! taken as a median without an interval, of which only the rounding is known.

mod cells;
mod claims;
mod overhead;
mod startup;
mod study;
mod tables;
#[cfg(test)]
mod tests;

use wbd_model::report::{Compared, Figure, Mark, Ratio, Report, Study, Validity};
use wbd_model::{Cell, Experiment, Size};

use self::cells::Cells;
use self::study::Known;

/// By which share an interval is widened before a ratio of the study counts as outside.
///
/// The study took one pair of its figures twice: binarytree's native time as 6.39 and 6.56 s, WasmEdge's as 6.83
/// and 7.07 s, its memory as 76.93 and 79.79 MB. So one of its figures is good to 4 % or so, and a ratio of two
/// to 8 %; rounded up.
pub const TOLERANCE: f64 = 0.10;

/// The report on an experiment whose cells carry their samples. `size` names the size that a workload's
/// arguments are, if any.
#[must_use]
pub fn report(experiment: &Experiment, size: &dyn Fn(&str, &[String]) -> Option<Size>) -> Report {
    let platform = study::platform(&experiment.machine.arch);
    let cells = Cells::new(&experiment.cells, size);
    Report {
        schema: wbd_model::SCHEMA,
        experiment: experiment.experiment.clone(),
        created: experiment.created,
        state: experiment.state,
        seed: experiment.seed,
        machine: experiment.machine.clone(),
        warnings: experiment.warnings.clone(),
        study: Study {
            platform: platform.map(|platform| platform.about.clone()),
            tolerance: TOLERANCE,
        },
        validity: experiment.cells.iter().map(validity).collect(),
        time: tables::groups(&cells, platform, study::Table::Time),
        memory: tables::groups(&cells, platform, study::Table::Memory),
        startup: startup::startup(&cells, platform),
        overhead: overhead::overhead(&cells, platform),
        claims: claims::answers(&cells),
    }
}

fn validity(cell: &Cell) -> Validity {
    Validity {
        target: cell.target.clone(),
        workload: cell.workload.clone(),
        args: cell.args.clone(),
        cache: cell.cache.clone(),
        runs: cell.runs,
        valid: cell.valid,
        failed: cell.failed,
    }
}

/// Our figure with its ratio, held against the study's.
fn compared(figure: Figure, ratio: Option<Ratio>, study: Option<Known>) -> Compared {
    Compared {
        figure,
        mark: mark(ratio.as_ref(), study.as_ref()),
        ratio,
        study: study.map(|study| study.figure),
    }
}

/// Whether our ratio and the study's agree.
fn mark(ours: Option<&Ratio>, study: Option<&Known>) -> Mark {
    let (Some(ours), Some(study)) = (ours, study) else {
        return Mark::NotCompared;
    };
    let [low, high] = [ours.ci95[0] / (1.0 + TOLERANCE), ours.ci95[1] * (1.0 + TOLERANCE)];
    if low <= study.range[1] && study.range[0] <= high {
        Mark::Agrees
    } else {
        Mark::Disagrees
    }
}
