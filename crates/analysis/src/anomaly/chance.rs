//! How strange chance alone makes a cell: of the table, and of the runs.

use super::polish;
use super::table::{Scale, Table};
use crate::interval::median_rank_chances;
use crate::random::SplitMix64;

/// Tables without an anomaly that are made.
const TABLES: usize = 1_999;
/// Tables of resampled runs that are made.
const RESAMPLES: usize = 999;
/// Any will do, as long as it stays.
const SEED: u64 = 0x5741_534d;

/// The largest residual, in spreads, of each of many tables of the same shape whose residuals are normal; ascending.
///
/// The strangest of many cells is strange even where none is, and a spread that is estimated from few cells is often
/// too small. Both are in these tables as they are in the one that is judged, so neither needs a correction.
pub(super) fn largest_residuals(table: &Table) -> Vec<f64> {
    let mut random = SplitMix64(SEED);
    let mut largest = |()| {
        let values: Vec<f64> = table.entries.iter().map(|_| random.normal()).collect();
        let residuals = polish::residuals(table, &values);
        let most = residuals
            .iter()
            .fold(0.0_f64, |most, residual| most.max(residual.abs()));
        most / polish::spread(table, &residuals)
    };
    let mut found: Vec<f64> = std::iter::repeat_n((), TABLES).map(&mut largest).collect();
    found.sort_by(f64::total_cmp);
    found
}

/// The share of such tables whose largest residual is at least this, the judged one counted among them.
pub(super) fn chance(largest: &[f64], residual: f64) -> f64 {
    let smaller = largest.partition_point(|found| *found < residual);
    (largest.len() - smaller + 1) as f64 / (largest.len() + 1) as f64
}

/// The 95 % intervals of the residuals: the percentile bootstrap, in which each cell's runs are drawn again and the
/// pattern is found anew.
pub(super) fn intervals(table: &Table, scale: Scale) -> Vec<[f64; 2]> {
    let ranks: Vec<Vec<(usize, f64)>> = table
        .entries
        .iter()
        .map(|entry| median_rank_chances(entry.values.len()))
        .collect();
    let mut random = SplitMix64(SEED);
    let mut drawn = vec![Vec::with_capacity(RESAMPLES); table.entries.len()];
    for _ in 0..RESAMPLES {
        let medians: Vec<f64> = table
            .entries
            .iter()
            .zip(&ranks)
            .map(|(entry, ranks)| scale.on(entry.values[rank(ranks, random.share()) - 1] as f64))
            .collect();
        for (of_cell, residual) in drawn.iter_mut().zip(polish::residuals(table, &medians)) {
            of_cell.push(residual);
        }
    }
    drawn.into_iter().map(middle_95).collect()
}

/// The rank of a resample's median, chosen by a share between 0 and 1.
fn rank(ranks: &[(usize, f64)], share: f64) -> usize {
    let mut below = 0.0;
    let reached = ranks.iter().find(|(_, chance)| {
        below += chance;
        share < below
    });
    reached.or(ranks.last()).map_or(1, |(rank, _)| *rank)
}

fn middle_95(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let tail = values.len() / 40;
    [values[tail], values[values.len() - 1 - tail]]
}
