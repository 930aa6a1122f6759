//! Many tests at once: of twenty where nothing differs one would come out at 5 %. Holm's step-down correction keeps
//! the chance that any does at the level, whatever the tests have to do with each other.
//!
//! S. Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian Journal of Statistics 6 (1979).

/// The p to hold against the level in place of each of `p`.
pub(super) fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&one, &other| p[one].total_cmp(&p[other]));
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0_f64;
    for (left, test) in (1..=p.len()).rev().zip(order) {
        least = least.max(p[test] * left as f64).min(1.0);
        adjusted[test] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_is_multiplied_by_all_and_none_falls_below_the_one_before() {
        let close = |found: Vec<f64>, truth: &[f64]| {
            let same = |(x, y): (&f64, &f64)| (x - y).abs() < 1e-12;
            assert!(found.iter().zip(truth).all(same), "{found:?}");
        };
        close(holm(&[0.01, 0.04, 0.03, 0.005]), &[0.03, 0.06, 0.06, 0.02]);
        close(holm(&[0.9, 0.8]), &[1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
