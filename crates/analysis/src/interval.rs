//! The 95 % interval of a median: the percentile bootstrap, computed exactly instead of by resampling.
//!
//! Drawn with replacement from n values in ascending order, a resample's median is at most x₍k₎ exactly
//! when at least m of its n members are, m being the median's rank; each member is with probability k/n.
//! So `P(median* <= x₍k₎) = P(Bin(n, k/n) >= m)`, and the interval's ends are the smallest k at which that
//! reaches 2.5 % and 97.5 %. It is what infinitely many resamples would give: no seed, no Monte Carlo
//! error. Equal values change nothing: they share one end.
//!
//! B. Efron, *Bootstrap Methods: Another Look at the Jackknife*, Annals of Statistics 7 (1979), section 3,
//! derives the distribution of the bootstrapped median so; taking its percentiles as the interval is from
//! his *The Jackknife, the Bootstrap and Other Resampling Plans* (1982).

/// The ranks, from 1, between which the 95 % interval of the median of `n >= 1` values lies.
pub(crate) fn median_ranks95(n: usize) -> [usize; 2] {
    [0.025, 0.975].map(|level| smallest_rank(n, level))
}

/// The ranks, from 1, between which the 95 % interval of a percentile beyond the median lies; none where `n` values
/// are too few for one, as a value beyond all of them may then well be the percentile.
///
/// This one is of order statistics: the value of rank l exceeds the percentile q with the chance
/// `P(Bin(n, q) < l)`, whatever the distribution, and each end has 2.5 % at most. The bootstrap cannot serve here: its
/// resamples never hold a value beyond the largest, so that its interval would always have an end. G. Hahn and
/// W. Meeker, *Statistical Intervals* (1991), section 5.2.
pub(crate) fn percentile_ranks95(n: usize, percent: usize) -> Option<[usize; 2]> {
    const TAIL: f64 = 0.025;
    let share = percent as f64 / 100.0;
    let below = |rank: usize| 1.0 - binomial_tail(n, share, rank);
    let above = |rank: usize| binomial_tail(n, share, rank);
    let low = partition_point(n, |rank| below(rank) <= TAIL).checked_sub(1)?;
    let high = partition_point(n, |rank| above(rank) > TAIL);
    (low >= 1 && high <= n).then_some([low, high])
}

/// The first rank from 1 on for which `holds` does not, or `n + 1`.
fn partition_point(n: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (1, n + 1);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The ranks, from 1, that the median of a resample of `n >= 1` values may have, with the chance of each. Those
/// further than six standard deviations from the median's are left out: together they have some 2e-9.
pub(crate) fn median_rank_chances(n: usize) -> Vec<(usize, f64)> {
    let median = n.div_ceil(2);
    let reach = 3 * n.isqrt() + 4; // the rank's standard deviation is about √n / 2
    let ranks = median.saturating_sub(reach).max(1)..=(median + reach).min(n);
    let mut below = 0.0;
    ranks
        .map(|k| {
            let up_to = chance_of_at_least(median, n, k);
            let chance = up_to - below;
            below = up_to;
            (k, chance)
        })
        .collect()
}

/// The smallest rank k for which a resample's median is at most x₍k₎ with probability `level` or more.
fn smallest_rank(n: usize, level: f64) -> usize {
    let median = n.div_ceil(2);
    let (mut low, mut high) = (1, n);
    while low < high {
        let middle = low.midpoint(high);
        if chance_of_at_least(median, n, middle) >= level {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// `P(Bin(n, k/n) >= m)` for `1 <= k <= n`.
fn chance_of_at_least(m: usize, n: usize, k: usize) -> f64 {
    if k == n {
        return 1.0;
    }
    tail_from(n, k as f64 / (n - k) as f64, k, m)
}

/// `P(Bin(n, share) >= m)` for a share between 0 and 1.
fn binomial_tail(n: usize, share: f64, m: usize) -> f64 {
    let largest = ((n + 1) as f64 * share) as usize;
    tail_from(n, share / (1.0 - share), largest.min(n), m)
}

/// The chance of `m` or more of `n` at these odds each, of which `k` is the most likely number.
///
/// The binomial's weights are summed relative to the largest, which is at k, and divided by their sum, so
/// that neither factorials nor their logarithms are needed and nothing cancels. They fall off on both sides
/// within a few standard deviations: some 9,000 terms for a million values.
fn tail_from(n: usize, odds: f64, k: usize, m: usize) -> f64 {
    let upward = |j: usize| (n - j) as f64 / (j + 1) as f64 * odds;
    let above = weights(k..n, upward).map(|(j, weight)| (j + 1, weight));
    let below = weights((1..=k).rev(), |j| 1.0 / upward(j - 1)).map(|(j, weight)| (j - 1, weight));

    let (mut tail, mut total) = (0.0, 0.0);
    for (j, weight) in above.chain(below).chain([(k, 1.0)]) {
        total += weight;
        tail += if j >= m { weight } else { 0.0 };
    }
    tail / total
}

/// Weights stepwise away from the largest, which is 1, until they no longer count; each with where its step began.
fn weights(
    from: impl Iterator<Item = usize>,
    ratio: impl Fn(usize) -> f64,
) -> impl Iterator<Item = (usize, f64)> {
    const NEGLIGIBLE: f64 = 1e-18;
    from.scan(1.0, move |weight, j| {
        *weight *= ratio(j);
        Some((j, *weight))
    })
    .take_while(|&(_, weight)| weight > NEGLIGIBLE)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// The same chance in integers: the sum of C(n,j) kʲ (n-k)ⁿ⁻ʲ over nⁿ, which fits for n up to 26.
    fn exact_chance(m: usize, n: usize, k: usize) -> f64 {
        let power = |base: usize, exponent: usize| (base as u128).pow(exponent as u32);
        let mut choose = 1_u128;
        let mut tail = 0_u128;
        for j in 0..=n {
            if j >= m {
                tail += choose * power(k, j) * power(n - k, n - j);
            }
            choose = choose * (n - j) as u128 / (j + 1) as u128;
        }
        tail as f64 / power(n, n) as f64
    }

    #[test]
    fn the_chance_agrees_with_exact_arithmetic() {
        for n in 1..=24 {
            for k in 1..=n {
                for m in 1..=n {
                    let (found, truth) = (chance_of_at_least(m, n, k), exact_chance(m, n, k));
                    assert!(
                        (found - truth).abs() < 1e-13,
                        "n={n} k={k} m={m}: {found} {truth}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_interval_agrees_with_naive_resampling() {
        const RESAMPLES: usize = 40_000;
        let n = 101;
        let mut random = StdRng::seed_from_u64(1);
        let mut medians: Vec<usize> = (0..RESAMPLES)
            .map(|_| {
                let mut resample: Vec<usize> = (0..n).map(|_| random.random_range(1..=n)).collect();
                *resample.select_nth_unstable(n.div_ceil(2) - 1).1
            })
            .collect();
        medians.sort_unstable();
        let [low, high] = median_ranks95(n);
        assert!(medians[RESAMPLES * 25 / 1000].abs_diff(low) <= 1);
        assert!(medians[RESAMPLES * 975 / 1000].abs_diff(high) <= 1);
    }

    /// Exponential values, whose true median is ln 2: the interval must hold it about 95 times in a hundred.
    #[test]
    fn the_true_median_is_inside_about_95_times_in_100() {
        const TRIALS: u32 = 4_000;
        let mut random = StdRng::seed_from_u64(2);
        for n in [10, 30, 101, 400] {
            let [low, high] = median_ranks95(n);
            let inside = (0..TRIALS)
                .filter(|_| {
                    let mut values: Vec<f64> = (0..n).map(|_| -(1.0 - random.random::<f64>()).ln()).collect();
                    values.sort_by(f64::total_cmp);
                    (values[low - 1]..=values[high - 1]).contains(&std::f64::consts::LN_2)
                })
                .count();
            let share = inside as f64 / f64::from(TRIALS);
            assert!((0.92..0.98).contains(&share), "n={n}: {share}");
        }
    }

    /// Exponential values, whose percentiles are known: each interval must hold its own at least 95 times in 100.
    #[test]
    fn the_true_percentile_is_inside_at_least_95_times_in_100() {
        const TRIALS: u32 = 2_000;
        let mut random = StdRng::seed_from_u64(3);
        for (n, percent) in [(36, 90), (120, 90), (368, 99), (700, 99)] {
            let [low, high] = percentile_ranks95(n, percent).unwrap();
            let truth = -(1.0 - percent as f64 / 100.0).ln();
            let inside = (0..TRIALS)
                .filter(|_| {
                    let mut values: Vec<f64> = (0..n).map(|_| -(1.0 - random.random::<f64>()).ln()).collect();
                    values.sort_by(f64::total_cmp);
                    (values[low - 1]..=values[high - 1]).contains(&truth)
                })
                .count();
            let share = inside as f64 / f64::from(TRIALS);
            assert!((0.94..0.995).contains(&share), "n={n} p{percent}: {share}");
        }
    }

    #[test]
    fn a_percentile_has_an_interval_from_the_first_n_that_allows_one() {
        // 0.9ⁿ and 0.99ⁿ fall to 2.5 % at 36 and at 368.
        for (percent, first) in [(90, 36), (99, 368)] {
            assert_eq!(percentile_ranks95(first - 1, percent), None);
            assert_eq!(percentile_ranks95(first, percent).unwrap()[1], first);
        }
    }

    #[test]
    fn a_million_values_take_no_time_and_the_normal_approximation_is_near() {
        let begun = Instant::now();
        let [low, high] = median_ranks95(1_000_000);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        // The rank of the true median is normal with a standard deviation of √n/2 = 500.
        assert!(
            low.abs_diff(500_000 - 980) <= 3 && high.abs_diff(500_000 + 980) <= 3,
            "{low} {high}"
        );
    }
}
