//! Cells held against each other: which ones, how far their medians lie apart, whether that is more than chance and
//! the machine's own unrest, and what it comes to in words. `docs/STATISTICS.md` says how each number is made, and
//! how often it is wrong.

mod holm;
mod noise;
mod pairs;
mod rank_test;
#[cfg(test)]
mod tests;
mod verdict;
mod warnings;

use wbd_model::compare::{Compared, Comparison, Pair, Test, Verdict};
use wbd_model::{Cell, Metric, SCHEMA};

pub use self::pairs::{Side, Unpaired, one};
use self::verdict::{Measured, conclude};
use crate::ratio_of_medians;
use crate::summary::summarize;

/// The chance, over all tests of a comparison together, of a difference found where there is none.
const LEVEL: f64 = 0.05;
/// Fewer runs of a cell have no 95 % interval of their median.
const FEWEST_RUNS: usize = 6;
/// What is compared where nothing is named.
const USUAL: [Metric; 4] = [Metric::Startup, Metric::Execution, Metric::Wall, Metric::RssPeak];

/// Holds B's cells against A's: the same ones of both, or one against one. `metrics` are those to compare; where it is
/// empty, the usual ones as far as both have them.
///
/// # Errors
/// Fails where a cell that is named does not exist, or the two have none in common.
pub fn compare(a: &Side, b: &Side, metrics: &[Metric]) -> Result<Comparison, Unpaired> {
    let paired = pairs::pair(a, b)?;
    let mut pairs: Vec<Pair> = paired.iter().map(|two| pair(two, metrics)).collect();
    let tests = correct(&mut pairs);
    for compared in pairs.iter_mut().flat_map(|pair| &mut pair.metrics) {
        conclude(compared, tests, LEVEL);
    }
    Ok(Comparison {
        schema: SCHEMA,
        level: LEVEL,
        tests,
        warnings: warnings::of(a, b, &paired, &pairs),
        pairs,
    })
}

fn pair(two: &pairs::Two, metrics: &[Metric]) -> Pair {
    let (a, b) = (two.a.cell, two.b.cell);
    let usual = || {
        let both = |metric: &Metric| a.metrics.contains_key(metric) && b.metrics.contains_key(metric);
        USUAL.into_iter().filter(both).collect()
    };
    let metrics: Vec<Metric> = if metrics.is_empty() {
        usual()
    } else {
        metrics.to_vec()
    };
    Pair {
        a: two.a.name(),
        b: two.b.name(),
        interleaved: two.interleaved(),
        metrics: metrics.into_iter().map(|metric| compared(two, metric)).collect(),
    }
}

/// All that is known of one metric before the tests are corrected for each other.
fn compared(two: &pairs::Two, metric: Metric) -> Compared {
    let [a, b] = [two.a.cell, two.b.cell].map(|cell| values(cell, metric));
    let mut compared = Compared {
        metric,
        a: summarize(metric, &a),
        b: summarize(metric, &b),
        ratio: None,
        test: None,
        noise: None,
        detectable: None,
        verdict: Verdict::Incomparable,
        text: String::new(),
    };
    if two.is_one() {
        "it is the same cell".clone_into(&mut compared.text);
    } else if let Some(why) = missing(two, metric, &a, &b) {
        compared.text = why;
    } else {
        measure(&mut compared, &a, &b, two.interleaved());
    }
    compared
}

fn missing(two: &pairs::Two, metric: Metric, a: &[u64], b: &[u64]) -> Option<String> {
    let (name, cell) = match (a, b) {
        ([], _) => ("A", two.a.cell),
        (_, []) => ("B", two.b.cell),
        _ => return None,
    };
    let why = cell.unavailable.get(&metric);
    Some(why.map_or_else(
        || format!("{name} has no {metric}"),
        |why| format!("{name} has no {metric}: {why}"),
    ))
}

fn measure(compared: &mut Compared, a: &[u64], b: &[u64], interleaved: bool) {
    compared.ratio = ratio_of_medians(b, a);
    if compared.ratio.is_none() {
        "A has values of 0, which have no ratio to anything".clone_into(&mut compared.text);
        return;
    }
    if a.len().min(b.len()) < FEWEST_RUNS {
        compared.verdict = Verdict::TooFew;
        compared.text = format!(
            "too few runs: {} and {}, of {FEWEST_RUNS} that it takes",
            a.len(),
            b.len()
        );
        return;
    }
    let Measured { test, noise } = Measured::new(a, b, interleaved);
    (compared.test, compared.noise) = (Some(test), Some(noise));
}

/// The values of the runs that count, in the order in which they were made.
fn values(cell: &Cell, metric: Metric) -> Vec<u64> {
    let valid = cell.samples.iter().filter(|sample| sample.valid);
    valid
        .filter_map(|sample| sample.metrics.get(&metric))
        .copied()
        .collect()
}

/// Corrects all tests for their number, which is returned.
fn correct(pairs: &mut [Pair]) -> u32 {
    let metrics = pairs.iter_mut().flat_map(|pair| &mut pair.metrics);
    let mut tests: Vec<&mut Test> = metrics.filter_map(|compared| compared.test.as_mut()).collect();
    let p: Vec<f64> = tests.iter().map(|test| test.p).collect();
    for (test, adjusted) in tests.iter_mut().zip(holm::holm(&p)) {
        test.p_holm = adjusted;
    }
    u32::try_from(tests.len()).unwrap_or(u32::MAX)
}
