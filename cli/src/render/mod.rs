//! Draws the daemon's answers as text. Everything here is a pure function from a document to a string, but for
//! [`progress`].

pub(crate) mod anomalies;
mod busiest;
pub(crate) mod compare;
pub(crate) mod doctor;
pub(crate) mod experiment;
pub(crate) mod explanation;
pub(crate) mod flame;
pub(crate) mod hdr_log;
pub(crate) mod hist;
pub(crate) mod html;
pub(crate) mod inventory;
pub(crate) mod listing;
pub(crate) mod notes;
pub(crate) mod phases;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod samples;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod trace;
pub(crate) mod units;

#[cfg(test)]
pub(crate) mod specimen;

use wbd_model::{Cell, Metric, Size};

/// Stands where a figure could not be measured.
pub(crate) const ABSENT: &str = "-";
/// Stands where there is nothing to measure, such as the start of a container where there is none.
pub(crate) const NOT_APPLICABLE: &str = "·";

/// Why no run of the cell was made, where none could be: its target is not available, or refused the module.
pub(crate) fn never_ran(cell: &Cell) -> Option<&str> {
    let why = cell.unavailable.get(&Metric::Startup)?;
    ((cell.valid, cell.failed) == (0, 0)).then_some(why)
}

/// A workload's name, with its size where that is not the usual one: an experiment may have it in several.
pub(crate) fn workload(name: &str, size: Option<Size>) -> String {
    match size {
        None | Some(Size::Quick) => name.to_owned(),
        Some(size) => format!("{name} ({size})"),
    }
}
