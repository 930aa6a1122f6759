//! Median polish: J. Tukey, *Exploratory Data Analysis* (1977), chapter 11.
//!
//! From each row its median is taken, then from each column, and again until nothing changes. What is left are the
//! residuals. Since medians are taken, a row or column keeps its effect however far off less than half of its cells
//! are; least squares would share one strange cell out among all the others.

use super::table::Table;

/// More rounds are seldom made: ten do for most tables.
const MOST_ROUNDS: usize = 50;
/// A round that changes less is the last, as a share of the largest value.
const NEGLIGIBLE: f64 = 1e-9;
/// The median absolute deviation of normal values, times this, is their standard deviation.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The residuals of these values, one for each entry of the table.
pub(super) fn residuals(table: &Table, values: &[f64]) -> Vec<f64> {
    let rows = groups(table.rows, table.entries.iter().map(|entry| entry.row));
    let columns = groups(table.columns, table.entries.iter().map(|entry| entry.column));
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let mut left = values.to_vec();
    for _ in 0..MOST_ROUNDS {
        let changed = sweep(&mut left, &rows).max(sweep(&mut left, &columns));
        if changed <= NEGLIGIBLE * largest {
            break;
        }
    }
    left
}

/// The places of the entries that belong together.
fn groups(count: usize, of_entries: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); count];
    for (place, group) in of_entries.enumerate() {
        groups[group].push(place);
    }
    groups
}

/// Takes each group's median from it; the largest one taken is returned.
fn sweep(left: &mut [f64], groups: &[Vec<usize>]) -> f64 {
    let mut most = 0.0_f64;
    for group in groups {
        let middle = median(group.iter().map(|place| left[*place]).collect());
        for place in group {
            left[*place] -= middle;
        }
        most = most.max(middle.abs());
    }
    most
}

/// The spread of residuals, on the scale of a standard deviation: by their median absolute value, of those that the
/// effects could not make 0 whatever the values are.
pub(super) fn spread(table: &Table, residuals: &[f64]) -> f64 {
    MAD_TO_SIGMA * typical(table, residuals)
}

/// The residual that half of the free ones do not exceed.
pub(super) fn typical(table: &Table, residuals: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    median(sizes.split_off(table.fitted().min(sizes.len())))
}

/// The median, of an even number the mean of the middle two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(lower) if !is_odd => lower.midpoint(*upper),
        _ => *upper,
    }
}
