//! What the machine does to runs of one and the same cell: how much a run resembles its neighbours, and how far
//! medians of the same cell lie apart. Both from the cell's own runs, in the order in which they were made.
//!
//! Runs made one after the other are alike, since the machine's state changes slowly; so fewer of them tell
//! something new than there are, and two experiments differ even where nothing was changed. How much this matters is
//! in `docs/STATISTICS.md`.

use crate::rank::doubled_midranks;
use crate::summary::median;

/// Neighbours further away than this are not looked at: what changes more slowly is in the noise.
const FARTHEST: usize = 500;
/// Into how many stretches a cell's runs are cut.
const STRETCHES: usize = 5;

/// As how many runs one counts that depends on none; 1 where runs do not resemble their neighbours.
///
/// It is `1 + 2 Σ ρ(k)`, ρ the autocorrelation of the ranks, summed as long as two consecutive ones together are
/// positive: C. Geyer, *Practical Markov Chain Monte Carlo*, Statistical Science 7 (1992), section 3.3.
pub(super) fn dependence(values: &[u64]) -> f64 {
    let ranks = doubled_midranks(values);
    let mean = values.len() as f64 + 1.0;
    let off: Vec<f64> = ranks.iter().map(|&rank| rank as f64 - mean).collect();
    let covariance = |lag: usize| -> f64 { off.iter().zip(&off[lag..]).map(|(x, y)| x * y).sum() };
    let variance = covariance(0);
    if variance <= 0.0 {
        return 1.0;
    }
    let lags = (0..(values.len() / 2).min(FARTHEST)).step_by(2);
    let pairs = lags.map(|lag| (covariance(lag) + covariance(lag + 1)) / variance);
    let sum: f64 = pairs.take_while(|&pair| pair > 0.0).sum();
    (2.0 * sum - 1.0).max(1.0)
}

/// For cells measured one after the other: how far the medians of five stretches of the runs lie apart.
pub(super) fn of_stretches(values: &[u64]) -> f64 {
    let end = |stretch: usize| values.len() * stretch / STRETCHES;
    let medians = (0..STRETCHES).filter_map(|stretch| median(&values[end(stretch)..end(stretch + 1)]));
    apart(medians)
}

/// For cells measured in turns: how far the medians of every other run and of the rest lie apart, which are as the
/// two cells are to each other. Of all runs they would by chance lie √2 times nearer.
pub(super) fn of_turns(values: &[u64]) -> f64 {
    let half = |first: usize| values.iter().skip(first).step_by(2).copied().collect::<Vec<_>>();
    let medians = [half(0), half(1)].into_iter().filter_map(|half| median(&half));
    apart(medians) / std::f64::consts::SQRT_2
}

/// By which share the largest exceeds the smallest.
fn apart(medians: impl Iterator<Item = u64>) -> f64 {
    let (low, high) = medians.fold((u64::MAX, 0), |(low, high), m| (low.min(m), high.max(m)));
    if low == 0 || high <= low {
        return 0.0;
    }
    high as f64 / low as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn runs_that_come_in_fours_count_as_a_quarter() {
        let mut random = StdRng::seed_from_u64(1);
        let single: Vec<u64> = (0..4_000).map(|_| random.random_range(0..1_000_000)).collect();
        let fours: Vec<u64> = single.iter().flat_map(|&value| [value; 4]).collect();
        assert!(dependence(&single) < 1.2, "{}", dependence(&single));
        // 1 + 2 (3/4 + 2/4 + 1/4)
        assert!((3.6..4.6).contains(&dependence(&fours)), "{}", dependence(&fours));
    }

    #[test]
    fn a_drift_is_noise_between_stretches_and_none_between_turns() {
        let drifting: Vec<u64> = (0..1_000).map(|run| 1_000 + run).collect();
        assert!(
            (0.6..0.8).contains(&of_stretches(&drifting)),
            "{}",
            of_stretches(&drifting)
        );
        assert!(of_turns(&drifting) < 0.002);
    }

    #[test]
    fn what_never_changes_has_neither() {
        assert_eq!(
            (dependence(&[7; 50]), of_stretches(&[7; 50]), of_turns(&[7; 50])),
            (1.0, 0.0, 0.0)
        );
        assert_eq!(
            (dependence(&[7]), of_stretches(&[7]), of_turns(&[7])),
            (1.0, 0.0, 0.0)
        );
    }
}
