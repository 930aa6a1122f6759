//! A metric over the valid runs of a cell, from the samples themselves (a histogram would round them).
//!
//! A percentile is by *nearest rank*: the p-th percentile of n values is the smallest value that at least
//! p % of them do not exceed, the one of rank ⌈p·n/100⌉. It is always a value that was measured. The
//! median of an even number of values is therefore the lower of the middle two, not their mean, which
//! also makes its bootstrap distribution exact (see [`crate::interval`]).

use wbd_model::{Metric, Summary};

use crate::interval::{median_ranks95, percentile_ranks95};

/// Sums up the values of one metric; `None` where there are none.
///
/// With fewer than six values no interval of measured values covers the median in 95 % of cases, not even
/// the one from the smallest to the largest: `ci95` is then narrower than its name. Those of the other percentiles are
/// absent where the values are too few: from 36 values on for the 90th, from 368 on for the 99th.
#[must_use]
pub fn summarize(metric: Metric, values: &[u64]) -> Option<Summary> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let between = |[low, high]: [usize; 2]| [sorted[low - 1], sorted[high - 1]];
    let of_percentile = |percent| percentile_ranks95(sorted.len(), percent).map(between);
    Some(Summary {
        unit: metric.unit(),
        n: sorted.len() as u64,
        min,
        p50: percentile(&sorted, 50),
        p90: percentile(&sorted, 90),
        p99: percentile(&sorted, 99),
        max,
        mean: mean(&sorted),
        ci95: between(median_ranks95(sorted.len())),
        p90_ci95: of_percentile(90),
        p99_ci95: of_percentile(99),
    })
}

/// The nearest-rank percentile of values in ascending order, of which there is at least one.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> T {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.max(1) - 1]
}

/// The median of values in any order, by nearest rank; none of no values.
pub(crate) fn median(values: &[u64]) -> Option<u64> {
    let mut values = values.to_vec();
    let middle = values.len().div_ceil(2).checked_sub(1)?;
    Some(*values.select_nth_unstable(middle).1)
}

/// The mean, from an exact sum.
fn mean(values: &[u64]) -> f64 {
    let sum: u128 = values.iter().map(|&value| u128::from(value)).sum();
    sum as f64 / values.len() as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn startup(values: &[u64]) -> Summary {
        summarize(Metric::Startup, values).unwrap()
    }

    #[test]
    fn nothing_sums_up_to_nothing() {
        assert_eq!(summarize(Metric::Startup, &[]), None);
    }

    #[test]
    fn one_value_is_every_percentile() {
        let summary = startup(&[7]);
        assert_eq!((summary.p50, summary.p99, summary.ci95), (7, 7, [7, 7]));
    }

    #[test]
    fn the_median_of_an_even_number_is_the_lower_middle_value() {
        assert_eq!(startup(&[40, 10, 30, 20]).p50, 20);
    }

    #[test]
    fn percentiles_of_one_to_a_hundred_are_their_own_names() {
        let summary = startup(&(1..=100).rev().collect::<Vec<_>>());
        assert_eq!((summary.p50, summary.p90, summary.p99), (50, 90, 99));
        assert_eq!((summary.min, summary.max, summary.mean), (1, 100, 50.5));
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        assert_eq!(startup(&[u64::MAX; 3]).mean, u64::MAX as f64);
    }

    proptest! {
        #[test]
        fn a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
            values in prop::collection::vec(0_u64..50, 1..80),
        ) {
            let summary = startup(&values);
            for (percent, found) in [(50, summary.p50), (90, summary.p90), (99, summary.p99)] {
                let share = |limit: u64| 100 * values.iter().filter(|&&value| value <= limit).count();
                prop_assert!(values.contains(&found));
                prop_assert!(share(found) >= percent * values.len());
                prop_assert!(found == 0 || share(found - 1) < percent * values.len());
            }
        }

        #[test]
        fn the_numbers_stand_in_order(values in prop::collection::vec(any::<u64>(), 1..200)) {
            let s = startup(&values);
            let ascending = [s.min, s.ci95[0], s.p50, s.ci95[1], s.max];
            prop_assert!(ascending.is_sorted(), "{ascending:?}");
            prop_assert!([s.p50, s.p90, s.p99, s.max].is_sorted());
            prop_assert_eq!(s.p90_ci95.is_some(), values.len() >= 36);
            prop_assert!(s.p90_ci95.is_none_or(|[low, high]| low <= s.p90 && s.p90 <= high));
            prop_assert!(s.min as f64 <= s.mean && s.mean <= s.max as f64);
        }

        #[test]
        fn the_order_of_the_values_does_not_matter(values in prop::collection::vec(any::<u64>(), 1..50)) {
            let mut reversed = values.clone();
            reversed.reverse();
            prop_assert_eq!(startup(&values), startup(&reversed));
        }
    }
}
