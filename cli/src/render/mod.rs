//! Draws the daemon's answers as text. Everything here is a pure function from a document to a string, but for
//! [`progress`].

pub(crate) mod doctor;
pub(crate) mod experiment;
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
pub(crate) mod units;

#[cfg(test)]
pub(crate) mod specimen;

/// Stands where a figure could not be measured.
pub(crate) const ABSENT: &str = "-";
/// Stands where there is nothing to measure, such as the start of a container where there is none.
pub(crate) const NOT_APPLICABLE: &str = "·";
