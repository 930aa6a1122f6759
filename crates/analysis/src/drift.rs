//! Drift: whether a cell's figures rise or fall over its runs, by Spearman's rank correlation with their order.
//!
//! C. Spearman, *The Proof and Measurement of Association between Two Things*, American Journal of Psychology 15
//! (1904). Without drift ρ√(n-1) is about normal; equal values are given their mean rank.

use wbd_model::{Metric, Sample};

use crate::normal::two_sided;
use crate::rank::doubled_midranks;
use crate::summary::median;

/// With fewer values nothing is said.
const FEWEST: usize = 10;
/// A drift of this chance or more without one is not told.
const LEVEL: f64 = 0.01;
/// A smaller change, as a share, is not told: it would matter to no figure that is shown.
const SMALLEST_CHANGE: f64 = 0.01;

/// A cell's metric that rose or fell over its runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Rank correlation of value and order, from -1 to 1.
    pub correlation: f64,
    /// By which share the median of the last fifth of the runs exceeds that of the first.
    pub change: f64,
}

impl Drift {
    /// What is said of it.
    #[must_use]
    pub fn text(&self, metric: Metric) -> String {
        format!(
            "{metric} drifted: the last fifth of the runs has a median {:+.1} % off the first's (rank correlation {:+.2})",
            100.0 * self.change,
            self.correlation
        )
    }
}

/// The drift of a metric over the valid runs of a cell, which are in the order in which they were made.
#[must_use]
pub fn of_metric(samples: &[Sample], metric: Metric) -> Option<Drift> {
    let valid = samples.iter().filter(|sample| sample.valid);
    let values: Vec<u64> = valid
        .filter_map(|sample| sample.metrics.get(&metric))
        .copied()
        .collect();
    of_values(&values)
}

/// The drift over values in their order, where there is one that matters.
#[must_use]
pub fn of_values(values: &[u64]) -> Option<Drift> {
    if values.len() < FEWEST {
        return None;
    }
    let correlation = with_order(values)?;
    let chance = two_sided(correlation * ((values.len() - 1) as f64).sqrt());
    let fifth = values.len() / 5;
    let (first, last) = (
        median(&values[..fifth])?,
        median(&values[values.len() - fifth..])?,
    );
    let change = last as f64 / first.max(1) as f64 - 1.0;
    (chance < LEVEL && change.abs() >= SMALLEST_CHANGE).then_some(Drift { correlation, change })
}

/// The rank correlation of values with their order; none where they are all the same.
fn with_order(values: &[u64]) -> Option<f64> {
    let mean = values.len() as f64 + 1.0;
    let (mut product, mut of_values, mut of_order) = (0.0, 0.0, 0.0);
    for (place, rank) in doubled_midranks(values).into_iter().enumerate() {
        let (x, y) = (2.0 * (place + 1) as f64 - mean, rank as f64 - mean);
        product += x * y;
        of_order += x * x;
        of_values += y * y;
    }
    (of_values > 0.0).then(|| product / (of_values * of_order).sqrt())
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn what_rises_or_falls_all_along_correlates_wholly() {
        let rising: Vec<u64> = (100..150).collect();
        let falling: Vec<u64> = rising.iter().rev().copied().collect();
        assert!((of_values(&rising).unwrap().correlation - 1.0).abs() < 1e-12);
        let drift = of_values(&falling).unwrap();
        assert!((drift.correlation + 1.0).abs() < 1e-12);
        assert_eq!(drift.change, 104.0 / 144.0 - 1.0);
        assert!(
            drift
                .text(Metric::Wall)
                .starts_with("wall drifted: the last fifth")
        );
    }

    #[test]
    fn a_drift_beneath_the_noise_of_single_runs_is_found() {
        let mut random = StdRng::seed_from_u64(1);
        let values: Vec<u64> = (0..400)
            .map(|run| 10_000 + 3 * run + random.random_range(0..2_000))
            .collect();
        assert!(of_values(&values).unwrap().correlation > 0.3);
    }

    #[test]
    fn without_drift_one_is_told_in_about_one_of_a_hundred_cases_at_most() {
        let mut random = StdRng::seed_from_u64(2);
        let told = (0..2_000)
            .filter(|_| {
                let values: Vec<u64> = (0..30).map(|_| random.random_range(900..1_500)).collect();
                of_values(&values).is_some()
            })
            .count();
        assert!(
            told <= 36,
            "{told} of 2,000: more than 20 by 3.6 standard deviations"
        );
    }

    #[test]
    fn too_few_or_equal_values_and_a_change_that_does_not_matter_say_nothing() {
        assert_eq!(of_values(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), None);
        assert_eq!(of_values(&[5; 100]), None);
        let hair: Vec<u64> = (0..100).map(|run| 1_000_000 + run).collect();
        assert_eq!(of_values(&hair), None);
    }
}
