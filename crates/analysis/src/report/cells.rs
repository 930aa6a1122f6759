//! The cells of an experiment, found by what they are, and the figures made of them.

use wbd_model::report::{Figure, Ratio};
use wbd_model::{Cell, Metric, Size};

use super::study::WORKLOADS;
use crate::ratio::ratio_of_medians;
use crate::summary::summarize;

/// The cells, sorted into those that can be compared: of one workload and the same arguments.
pub(super) struct Cells<'a> {
    /// The groups: the study's workloads first and in its order, larger sizes before smaller ones.
    pub(super) groups: Vec<CellGroup<'a>>,
    /// The targets, each once, in the order of the experiment.
    pub(super) targets: Vec<&'a str>,
}

/// The cells of one workload with the same arguments.
pub(super) struct CellGroup<'a> {
    pub(super) workload: &'a str,
    pub(super) args: &'a [String],
    pub(super) size: Option<Size>,
    cells: Vec<&'a Cell>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(cells: &'a [Cell], size: &dyn Fn(&str, &[String]) -> Option<Size>) -> Self {
        let mut groups: Vec<CellGroup<'a>> = Vec::new();
        let mut targets: Vec<&str> = Vec::new();
        for cell in cells {
            if !targets.contains(&cell.target.as_str()) {
                targets.push(&cell.target);
            }
            let same =
                |group: &&mut CellGroup<'a>| group.workload == cell.workload && group.args == cell.args;
            match groups.iter_mut().find(same) {
                Some(group) => group.cells.push(cell),
                None => groups.push(CellGroup {
                    workload: &cell.workload,
                    args: &cell.args,
                    size: size(&cell.workload, &cell.args),
                    cells: vec![cell],
                }),
            }
        }
        groups.sort_by_key(|group| (place(group.workload), std::cmp::Reverse(group.size)));
        Self { groups, targets }
    }

    /// The groups of a workload.
    pub(super) fn of<'s>(&'s self, workload: &str) -> impl Iterator<Item = &'s CellGroup<'a>> {
        self.groups.iter().filter(move |group| group.workload == workload)
    }
}

impl<'a> CellGroup<'a> {
    /// The cell of a target.
    pub(super) fn cell(&self, target: &str) -> Option<&'a Cell> {
        self.cells.iter().copied().find(|cell| cell.target == target)
    }

    /// A metric's median of one target over another's, where both have it.
    pub(super) fn ratio(&self, metric: Metric, over: &str, under: &str) -> Option<Ratio> {
        ratio(self.cell(over)?, self.cell(under)?, metric)
    }
}

/// Where a workload stands: the study's in its order, all others after them in the experiment's.
fn place(workload: &str) -> usize {
    let of_study = WORKLOADS.iter().position(|known| *known == workload);
    of_study.unwrap_or(WORKLOADS.len())
}

/// A metric's median of one cell over another's, where both have it.
pub(super) fn ratio(over: &Cell, under: &Cell, metric: Metric) -> Option<Ratio> {
    ratio_of_medians(&values(over, metric), &values(under, metric))
}

/// The values of a metric, of the runs that count.
pub(super) fn values(cell: &Cell, metric: Metric) -> Vec<u64> {
    let valid = cell.samples.iter().filter(|sample| sample.valid);
    valid
        .filter_map(|sample| sample.metrics.get(&metric).copied())
        .collect()
}

/// A metric's median of a cell, or why there is none.
pub(super) fn figure(cell: &Cell, metric: Metric) -> Figure {
    figure_of(metric, &values(cell, metric)).unwrap_or_else(|| Figure::Absent(why_absent(cell, metric)))
}

/// The median of values of a metric.
pub(super) fn figure_of(metric: Metric, values: &[u64]) -> Option<Figure> {
    let summary = summarize(metric, values)?;
    Some(Figure::Measured {
        unit: summary.unit,
        n: summary.n,
        p50: summary.p50,
        ci95: summary.ci95,
    })
}

fn why_absent(cell: &Cell, metric: Metric) -> String {
    if let Some(why) = cell.unavailable.get(&metric) {
        return format!("unavailable: {why}");
    }
    match cell.failures.keys().next() {
        Some(why) if cell.valid == 0 => format!("no run counts: {why}"),
        _ => "not measured".to_owned(),
    }
}
