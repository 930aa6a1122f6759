//! What to hold a strange cell against: the same workload under a target that does there what it does elsewhere.

use wbd_model::Experiment;

use super::Fit;
use super::table::Table;

/// The number of the cell that keeps closest to the pattern among the regular ones of the same workload; of the same
/// kind (`-jit`, `-aot`, `-interp`) if there is one.
pub(super) fn of(
    experiment: &Experiment,
    table: &Table,
    fit: &Fit,
    place: usize,
    regular: &[usize],
) -> Option<usize> {
    let entry = &table.entries[place];
    let target = |place: usize| experiment.cells[table.entries[place].cell].target.as_str();
    let beside = regular
        .iter()
        .copied()
        .filter(|other| table.entries[*other].column == entry.column);
    let best = beside.min_by(|a, b| {
        let same_kind = |other: usize| kind(target(other)) == kind(target(place));
        let distance = |other: usize| fit.residuals[other].abs();
        (same_kind(*b).cmp(&same_kind(*a))).then(distance(*a).total_cmp(&distance(*b)))
    });
    best.map(|other| table.entries[other].cell)
}

/// When the code is made, as targets' names end.
fn kind(target: &str) -> Option<&str> {
    target.rsplit_once('-').map(|(_, kind)| kind)
}
