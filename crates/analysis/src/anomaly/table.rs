//! A table of targets and workloads, with cells that may be missing.

use std::collections::BTreeMap;

use wbd_model::anomaly::Group;
use wbd_model::{Cell, Metric, Unit};

/// Fewer of either make no pattern: of two, each may be the strange one.
pub(super) const FEWEST: usize = 3;
/// A workload that commonly takes less is made of fixed costs, which add up: nothing in it is multiplied.
const LEAST_WORK_NS: u64 = 1_000_000;

/// Times of work.
const WORK: [Metric; 5] = [
    Metric::Execution,
    Metric::NetExecution,
    Metric::Wall,
    Metric::NetWall,
    Metric::CpuTime,
];

/// The lower median of ascending values, of which there is at least one.
pub(super) fn median(ascending: &[u64]) -> u64 {
    ascending[ascending.len().div_ceil(2) - 1]
}

fn group_of(target: &str) -> Group {
    if target.ends_with("-jit") {
        Group::Compiling
    } else {
        Group::NotCompiling
    }
}

/// Medians by target and workload.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// One cell of it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its number in the experiment.
    pub(super) cell: usize,
    pub(super) row: usize,
    pub(super) column: usize,
    /// Its runs' values in ascending order, none of them 0.
    pub(super) values: Vec<u64>,
}

/// How effects make a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// One multiplies the other: a slow target is slow by a factor. Pattern and residuals are of logarithms.
    Product,
    /// One adds to the other: what a program needs comes on top of what its engine needs.
    Sum,
}

impl Scale {
    pub(super) const fn of(metric: Metric) -> Self {
        match metric.unit() {
            Unit::Bytes => Self::Sum,
            Unit::Ns | Unit::Count => Self::Product,
        }
    }

    pub(super) fn on(self, value: f64) -> f64 {
        match self {
            Self::Product => libm::log(value),
            Self::Sum => value,
        }
    }

    pub(super) fn off(self, scaled: f64) -> f64 {
        match self {
            Self::Product => libm::exp(scaled),
            Self::Sum => scaled,
        }
    }
}

impl Table {
    /// The cells of the group that have the metric, without targets and workloads that have it in too few, and where
    /// it is a time of work, without workloads that do next to none.
    pub(super) fn new(cells: &[Cell], metric: Metric, group: Option<Group>) -> Self {
        let mut found: Vec<(usize, Vec<u64>)> = cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| group.is_none_or(|group| group == group_of(&cell.target)))
            .map(|(number, cell)| (number, values(cell, metric)))
            .filter(|(_, values)| values.first().is_some_and(|least| *least > 0))
            .collect();
        loop {
            let table = Self::of(cells, &found);
            let idle = table.idle_columns(metric);
            let enough = |entry: &&Entry| {
                table.in_row(entry.row) >= FEWEST
                    && table.in_column(entry.column) >= FEWEST
                    && !idle.contains(&entry.column)
            };
            let kept: Vec<usize> = table
                .entries
                .iter()
                .filter(enough)
                .map(|entry| entry.cell)
                .collect();
            if kept.len() == found.len() {
                return table;
            }
            found.retain(|(number, _)| kept.contains(number));
        }
    }

    fn of(cells: &[Cell], found: &[(usize, Vec<u64>)]) -> Self {
        let (mut rows, mut columns) = (BTreeMap::new(), BTreeMap::new());
        let mut entries = Vec::new();
        for (number, values) in found {
            let cell = &cells[*number];
            let (new_row, new_column) = (rows.len(), columns.len());
            entries.push(Entry {
                cell: *number,
                row: *rows.entry(&cell.target).or_insert(new_row),
                column: *columns.entry((&cell.workload, &cell.args)).or_insert(new_column),
                values: values.clone(),
            });
        }
        Self {
            entries,
            rows: rows.len(),
            columns: columns.len(),
        }
    }

    fn in_row(&self, row: usize) -> usize {
        self.entries.iter().filter(|entry| entry.row == row).count()
    }

    fn in_column(&self, column: usize) -> usize {
        self.entries.iter().filter(|entry| entry.column == column).count()
    }

    /// The workloads that commonly do next to nothing, where the metric is a time of work.
    fn idle_columns(&self, metric: Metric) -> Vec<usize> {
        if !WORK.contains(&metric) {
            return Vec::new();
        }
        let is_idle = |column: &usize| {
            let entries = self.entries.iter().filter(|entry| entry.column == *column);
            let mut medians: Vec<u64> = entries.map(|entry| median(&entry.values)).collect();
            medians.sort_unstable();
            median(&medians) < LEAST_WORK_NS
        };
        (0..self.columns).filter(is_idle).collect()
    }

    /// How many values the effects can fit exactly, whatever they are.
    pub(super) fn fitted(&self) -> usize {
        (self.rows + self.columns).saturating_sub(1)
    }
}

fn values(cell: &Cell, metric: Metric) -> Vec<u64> {
    let valid = cell.samples.iter().filter(|sample| sample.valid);
    let mut values: Vec<u64> = valid
        .filter_map(|sample| sample.metrics.get(&metric).copied())
        .collect();
    values.sort_unstable();
    values
}
