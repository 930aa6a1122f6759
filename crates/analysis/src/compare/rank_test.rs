//! The test of Mann and Whitney: whether values of one cell tend to be larger than the other's.
//!
//! It asks nothing of the values' distribution: times of runs are skewed, have far outliers and, in memory or
//! counts, few distinct values, where a test of means would answer for the outliers. Against a shift it is nearly as
//! sharp as the t test where values are normal and sharper where tails are heavy.
//!
//! Up to 40 values its distribution is counted out, equal values included (the shift algorithm of Streitberg and
//! Röhmel, *Exact distributions for permutation and rank tests*, Statistical Software Newsletter 12, 1986); beyond,
//! it is taken as normal, with the variance that equal values leave and a correction for continuity (E. Lehmann,
//! *Nonparametrics*, 1975, sections 1.2 to 1.4).
//!
//! H. Mann and D. Whitney, *On a Test of Whether one of Two Random Variables is Stochastically Larger than the
//! Other*, Annals of Mathematical Statistics 18 (1947).

use crate::normal::two_sided;
use crate::rank::doubled_midranks;

/// Most values, of both cells together, of which every order is counted.
const EXACT_UP_TO: usize = 40;

/// How the test came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RankTest {
    /// Pairs of values of which B's is the larger, half of those that are equal.
    pub(super) u: f64,
    /// The chance of a `u` as far off where nothing differs.
    pub(super) p: f64,
}

/// Tests `b` against `a`, each with at least one value. `dependence` is as how many values one counts that depends
/// on none: it widens the distribution.
pub(super) fn mann_whitney(a: &[u64], b: &[u64], dependence: f64) -> RankTest {
    let pooled: Vec<u64> = a.iter().chain(b).copied().collect();
    let ranks = doubled_midranks(&pooled);
    let (n, all) = (b.len() as f64, pooled.len() as f64);
    let sum: u64 = ranks[a.len()..].iter().sum();
    let off = (sum as f64 - n * (all + 1.0)).abs() / 2.0;
    let normal = by_normal(&ranks, a.len(), off, dependence);
    RankTest {
        u: sum as f64 / 2.0 - n * (n + 1.0) / 2.0,
        p: if pooled.len() > EXACT_UP_TO {
            normal
        } else if dependence > 1.0 {
            normal.max(counted_out(&ranks, b.len(), sum))
        } else {
            counted_out(&ranks, b.len(), sum)
        },
    }
}

/// The smallest p there can be with so many values.
pub(super) fn smallest_p(a: usize, b: usize) -> f64 {
    let orders = (1..=a.min(b)).fold(1.0, |orders, k| orders * (a + b + 1 - k) as f64 / k as f64);
    2.0 / orders
}

fn by_normal(ranks: &[u64], a: usize, off: f64, dependence: f64) -> f64 {
    let all = ranks.len() as f64;
    // The variance of the ranks themselves is smaller by what equal values take away.
    let spread: f64 = ranks
        .iter()
        .map(|&rank| (rank as f64 / 2.0 - (all + 1.0) / 2.0).powi(2))
        .sum();
    let variance = a as f64 * (all - a as f64) / (all * (all - 1.0)) * spread;
    if variance <= 0.0 {
        return 1.0;
    }
    two_sided((off - 0.5).max(0.0) / (variance * dependence).sqrt())
}

/// The share of all ways to choose `chosen` of the ranks whose sum is as far from the mean as `sum`.
fn counted_out(ranks: &[u64], chosen: usize, sum: u64) -> f64 {
    let top: usize = ranks.iter().sum::<u64>() as usize;
    let mut ways = vec![vec![0_u64; top + 1]; chosen + 1];
    ways[0][0] = 1;
    for &rank in ranks {
        for size in (1..=chosen).rev() {
            for total in (rank as usize..=top).rev() {
                ways[size][total] += ways[size - 1][total - rank as usize];
            }
        }
    }
    let mean = (chosen * (ranks.len() + 1)) as u64;
    let of_size = &ways[chosen];
    let as_far: u64 = (0..)
        .zip(of_size)
        .filter(|&(total, _)| mean.abs_diff(total) >= mean.abs_diff(sum))
        .map(|(_, ways)| ways)
        .sum();
    as_far as f64 / of_size.iter().sum::<u64>() as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same p from every way to deal the values out.
    fn by_enumeration(a: &[u64], b: &[u64]) -> f64 {
        let pooled: Vec<u64> = a.iter().chain(b).copied().collect();
        let doubled_u = |in_b: &dyn Fn(usize) -> bool| -> i64 {
            let mut u = 0;
            for (_, x) in pooled.iter().enumerate().filter(|(i, _)| in_b(*i)) {
                let others = pooled.iter().enumerate().filter(|(j, _)| !in_b(*j));
                u += others.map(|(_, y)| 1 + (x.cmp(y) as i64)).sum::<i64>();
            }
            u
        };
        let mean = (a.len() * b.len()) as i64;
        let seen = (doubled_u(&|i| i >= a.len()) - mean).abs();
        let deals: Vec<u32> = (0..1_u32 << pooled.len())
            .filter(|deal| deal.count_ones() as usize == b.len())
            .collect();
        let far = deals
            .iter()
            .filter(|deal| (doubled_u(&|i| **deal >> i & 1 == 1) - mean).abs() >= seen);
        far.count() as f64 / deals.len() as f64
    }

    #[test]
    fn a_published_example_comes_out_the_same() {
        // Lehmann, Nonparametrics, section 1.2: of 3 and 2 values the largest sum has a chance of 1 in 10 a side.
        let test = mann_whitney(&[1, 2, 3], &[4, 5], 1.0);
        assert_eq!((test.u, test.p), (6.0, 0.2));
        assert_eq!(smallest_p(3, 2), 0.2);
    }

    #[test]
    fn what_is_equal_everywhere_shows_nothing() {
        assert_eq!(mann_whitney(&[5; 30], &[5; 30], 1.0).p, 1.0);
        assert_eq!(mann_whitney(&[5; 3], &[5; 3], 1.0).p, 1.0);
    }

    #[test]
    fn the_normal_distribution_is_near_where_counting_ends() {
        let a: Vec<u64> = (0..20).map(|i| i * 7 % 23).collect();
        let b: Vec<u64> = (0..20).map(|i| i * 5 % 19 + 5).collect();
        let exact = mann_whitney(&a, &b, 1.0).p;
        let ranks = doubled_midranks(&[a.clone(), b].concat());
        let sum: u64 = ranks[20..].iter().sum();
        let normal = by_normal(&ranks, 20, (sum as f64 - 20.0 * 41.0).abs() / 2.0, 1.0);
        assert!((exact - normal).abs() < 0.005, "{exact} {normal}");
    }

    #[test]
    fn dependence_makes_a_difference_less_certain() {
        let (a, b): (Vec<u64>, Vec<u64>) = ((0..50).collect(), (15..65).collect());
        assert!(mann_whitney(&a, &b, 3.0).p > 10.0 * mann_whitney(&a, &b, 1.0).p);
    }

    proptest! {
        #[test]
        fn counting_agrees_with_every_deal(
            a in prop::collection::vec(0_u64..6, 1..6),
            b in prop::collection::vec(0_u64..6, 1..6),
        ) {
            let (found, truth) = (mann_whitney(&a, &b, 1.0).p, by_enumeration(&a, &b));
            prop_assert!((found - truth).abs() < 1e-12, "{} {}", found, truth);
        }

        #[test]
        fn it_does_not_matter_which_is_called_a(
            a in prop::collection::vec(0_u64..99, 1..60),
            b in prop::collection::vec(0_u64..99, 1..60),
        ) {
            let (ab, ba) = (mann_whitney(&a, &b, 1.0), mann_whitney(&b, &a, 1.0));
            prop_assert!((ab.p - ba.p).abs() < 1e-12);
            prop_assert_eq!(ab.u + ba.u, (a.len() * b.len()) as f64);
        }
    }
}
