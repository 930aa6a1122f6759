//! The ratio of two medians and its 95 % interval: the percentile bootstrap, both cells resampled, computed
//! exactly instead of by resampling.
//!
//! The bootstrapped median of each cell has a known distribution over its ranks (see [`crate::interval`]), and
//! the two cells are resampled independently. So `P(A* / B* <= t)` is the sum, over the values b that B* may
//! have, of `P(B* = b) P(A* <= t b)`; the interval's ends are the smallest t at which that reaches 2.5 % and
//! 97.5 %. They are ratios of measured values, found by halving an interval down to a floating-point number.

use wbd_model::report::Ratio;

use crate::interval::median_rank_chances;
use crate::summary::percentile;

/// Halvings until no number lies between two ends, whatever they were.
const HALVINGS: u32 = 1100;

/// The median of `over` divided by that of `under`; none where either has no values, or `under` holds a 0.
///
/// With fewer than six values on a side the interval is narrower than its name, as that of one median is.
#[must_use]
pub fn ratio_of_medians(over: &[u64], under: &[u64]) -> Option<Ratio> {
    let (over, under) = (Resampled::new(over)?, Resampled::new(under)?);
    if under.sorted[0] == 0 {
        return None;
    }
    let at_most = |t: f64| -> f64 {
        let chances = under.ranks.iter();
        chances
            .map(|&(rank, chance)| chance * over.chance_at_most(t * under.sorted[rank - 1] as f64))
            .sum()
    };
    Some(Ratio {
        value: percentile(&over.sorted, 50) as f64 / percentile(&under.sorted, 50) as f64,
        ci95: [0.025, 0.975].map(|level| smallest(ends(&over, &under), |t| at_most(t) >= level)),
    })
}

/// A cell's values, and the distribution of the median of its resamples.
struct Resampled {
    /// In ascending order.
    sorted: Vec<u64>,
    /// Rank of the resample's median, with its chance.
    ranks: Vec<(usize, f64)>,
    /// Chance of a rank up to and including that of the same index.
    cumulated: Vec<f64>,
}

impl Resampled {
    fn new(values: &[u64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted.first()?;
        let ranks = median_rank_chances(sorted.len());
        let cumulated = ranks.iter().scan(0.0, |sum, (_, chance)| {
            *sum += chance;
            Some(*sum)
        });
        Some(Self {
            cumulated: cumulated.collect(),
            ranks,
            sorted,
        })
    }

    /// The chance that the median of a resample is at most `limit`.
    fn chance_at_most(&self, limit: f64) -> f64 {
        let values = self
            .ranks
            .partition_point(|&(rank, _)| self.sorted[rank - 1] as f64 <= limit);
        values.checked_sub(1).map_or(0.0, |last| self.cumulated[last])
    }
}

/// The least and the largest ratio there can be. The first is made smaller by a hair, the second larger, so that
/// rounding excludes neither.
fn ends(over: &Resampled, under: &Resampled) -> [f64; 2] {
    const HAIR: f64 = 1e-12;
    let last = |of: &Resampled| of.sorted[of.sorted.len() - 1] as f64;
    [
        over.sorted[0] as f64 / last(under) * (1.0 - HAIR),
        last(over) / under.sorted[0] as f64 * (1.0 + HAIR),
    ]
}

/// The smallest number between two ends for which `holds` does, if it holds for the second.
fn smallest([mut low, mut high]: [f64; 2], holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.abs().max(1e-300)
    }

    /// The same interval from every resample there is, of both cells.
    fn by_enumeration(over: &[u64], under: &[u64]) -> [f64; 2] {
        let (over, under) = (medians_of_all_resamples(over), medians_of_all_resamples(under));
        let mut ratios: Vec<f64> = over
            .iter()
            .flat_map(|&a| under.iter().map(move |&b| a as f64 / b as f64))
            .collect();
        ratios.sort_by(f64::total_cmp);
        [25, 975].map(|permille| ratios[(ratios.len() * permille).div_ceil(1000) - 1])
    }

    fn medians_of_all_resamples(values: &[u64]) -> Vec<u64> {
        let n = values.len();
        (0..n.pow(n as u32))
            .map(|number| {
                let mut resample: Vec<u64> = (0..n)
                    .map(|place| values[number / n.pow(place as u32) % n])
                    .collect();
                resample.sort_unstable();
                percentile(&resample, 50)
            })
            .collect()
    }

    #[test]
    fn the_interval_agrees_with_naive_resampling() {
        const RESAMPLES: usize = 20_000;
        let mut random = StdRng::seed_from_u64(3);
        let mut cell = |n: usize, from: u64| -> Vec<u64> {
            (0..n).map(|_| random.random_range(from..2 * from)).collect()
        };
        let (over, under) = (cell(61, 4_000), cell(40, 1_000));
        let mut median = |values: &[u64]| {
            let mut resample: Vec<u64> = values
                .iter()
                .map(|_| values[random.random_range(0..values.len())])
                .collect();
            resample.sort_unstable();
            percentile(&resample, 50) as f64
        };
        let mut ratios: Vec<f64> = (0..RESAMPLES).map(|_| median(&over) / median(&under)).collect();
        ratios.sort_by(f64::total_cmp);
        let found = ratio_of_medians(&over, &under).unwrap();
        for (end, permille) in found.ci95.into_iter().zip([25, 975]) {
            let naive = ratios[RESAMPLES * permille / 1000];
            assert!((end / naive - 1.0).abs() < 0.02, "{end} {naive}");
        }
    }

    /// Exponential values with means 3 and 1: the true ratio of medians is 3.
    #[test]
    fn the_true_ratio_is_inside_about_95_times_in_100() {
        const TRIALS: u32 = 500;
        let mut random = StdRng::seed_from_u64(4);
        for n in [10, 30, 101] {
            let inside = (0..TRIALS)
                .filter(|_| {
                    let mut cell = |mean: f64| -> Vec<u64> {
                        let value = |()| (-(1.0 - random.random::<f64>()).ln() * mean * 1e9) as u64 + 1;
                        std::iter::repeat_n((), n).map(value).collect()
                    };
                    let (over, under) = (cell(3.0), cell(1.0));
                    let [low, high] = ratio_of_medians(&over, &under).unwrap().ci95;
                    (low..=high).contains(&3.0)
                })
                .count();
            let share = inside as f64 / f64::from(TRIALS);
            assert!((0.925..0.985).contains(&share), "n={n}: {share}");
        }
    }

    #[test]
    fn nothing_has_no_ratio_and_neither_has_a_ratio_to_nothing() {
        assert_eq!(ratio_of_medians(&[], &[1]), None);
        assert_eq!(ratio_of_medians(&[1], &[]), None);
        assert_eq!(ratio_of_medians(&[1], &[0, 5]), None);
        assert_eq!(ratio_of_medians(&[0], &[5]).unwrap().value, 0.0);
    }

    #[test]
    fn large_cells_take_no_time() {
        let begun = std::time::Instant::now();
        let values: Vec<u64> = (1..=50_000).collect();
        let ratio = ratio_of_medians(&values, &values).unwrap();
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
        assert!(ratio.ci95[0] > 0.98 && ratio.ci95[1] < 1.02, "{ratio:?}");
    }

    proptest! {
        #[test]
        fn the_interval_is_that_of_all_resamples(
            over in prop::collection::vec(0_u64..1_000, 1..=4),
            under in prop::collection::vec(1_u64..1_000, 1..=4),
        ) {
            let found = ratio_of_medians(&over, &under).unwrap().ci95;
            let truth = by_enumeration(&over, &under);
            prop_assert!(close(found[0], truth[0]) && close(found[1], truth[1]), "{:?} {:?}", found, truth);
        }

        #[test]
        fn the_ratio_lies_in_its_interval(
            over in prop::collection::vec(any::<u64>(), 1..60),
            under in prop::collection::vec(1..u64::MAX, 1..60),
        ) {
            let Ratio { value, ci95: [low, high] } = ratio_of_medians(&over, &under).unwrap();
            prop_assert!(low <= value * (1.0 + 1e-9) && value <= high * (1.0 + 1e-9), "{} {} {}", low, value, high);
        }

        #[test]
        fn another_unit_changes_nothing(
            over in prop::collection::vec(1_u64..1_000_000, 1..40),
            under in prop::collection::vec(1_u64..1_000_000, 1..40),
            scale in 1_u64..1_000,
        ) {
            let scaled = |values: &[u64]| values.iter().map(|value| value * scale).collect::<Vec<_>>();
            let (one, other) = (
                ratio_of_medians(&over, &under).unwrap(),
                ratio_of_medians(&scaled(&over), &scaled(&under)).unwrap(),
            );
            prop_assert!(close(one.value, other.value));
            prop_assert!(close(one.ci95[0], other.ci95[0]) && close(one.ci95[1], other.ci95[1]));
        }
    }
}
