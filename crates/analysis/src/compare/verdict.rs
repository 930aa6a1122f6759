//! From a test, an interval and the noise to a verdict.
//!
//! A difference is called one where three agree: the test, corrected for all tests of the comparison, is below the
//! level; the interval of the ratio excludes 1; and the medians lie further apart than the noise.

use wbd_model::Unit;
use wbd_model::compare::{Compared, Test, Verdict};
use wbd_model::report::Ratio;

use super::{noise, rank_test};
use crate::normal::upper;

/// The share of differences of the detectable size that would be found.
const POWER: f64 = 0.8;
/// From this ratio on it is given itself and not as a percentage.
const DOUBLE: f64 = 2.0;

/// What the runs of two cells say, beside the ratio of their medians.
pub(super) struct Measured {
    pub(super) test: Test,
    pub(super) noise: f64,
}

impl Measured {
    pub(super) fn new(a: &[u64], b: &[u64], interleaved: bool) -> Self {
        let of = |measure: fn(&[u64]) -> f64| measure(a).max(measure(b));
        // What changes slowly strikes cells in turns alike: it is in neither.
        let (dependence, noise) = if interleaved {
            (1.0, of(noise::of_turns))
        } else {
            (of(noise::dependence), of(noise::of_stretches))
        };
        let found = rank_test::mann_whitney(a, b, dependence);
        let test = Test {
            u: found.u,
            p: found.p,
            p_holm: found.p,
            dependence,
        };
        Self { test, noise }
    }
}

/// Concludes from what was measured; what was not has its verdict already.
pub(super) fn conclude(compared: &mut Compared, tests: u32, level: f64) {
    let (Some(a), Some(b), Some(ratio), Some(test), Some(noise)) = (
        &compared.a,
        &compared.b,
        compared.ratio,
        compared.test,
        compared.noise,
    ) else {
        return;
    };
    let least = rank_test::smallest_p(a.n as usize, b.n as usize) * f64::from(tests);
    if least >= level {
        compared.verdict = Verdict::TooFew;
        compared.text = format!("too few runs for {tests} tests: {} and {}", a.n, b.n);
        return;
    }
    let found = test.p_holm < level;
    compared.verdict = verdict(ratio, found, noise);
    compared.detectable = detectable(ratio, test.dependence, noise, level / f64::from(tests));
    compared.text = text(compared, ratio, found, noise);
}

fn verdict(Ratio { value, ci95 }: Ratio, found: bool, noise: f64) -> Verdict {
    let excluded = ci95[0] > 1.0 || ci95[1] < 1.0;
    match (found && excluded, size(value) > noise) {
        (false, _) => Verdict::NoDifference,
        (true, false) => Verdict::WithinNoise,
        (true, true) if value > 1.0 => Verdict::Higher,
        (true, true) => Verdict::Lower,
    }
}

/// By which share the larger of two exceeds the smaller, given their ratio.
fn size(ratio: f64) -> f64 {
    ratio.max(1.0 / ratio) - 1.0
}

/// The smallest difference, as a share, that would be found with the chance [`POWER`].
///
/// The logarithm of the ratio is about normal; its standard error is that for which the 95 % interval is as wide as
/// it is, times the root of `dependence`. A shift of `z(level / 2) + z(power)` errors is then found with the chance
/// `power`: the formula of sample sizes, solved for the difference (J. Lachin, *Introduction to Sample Size
/// Determination and Power Analysis for Clinical Trials*, Controlled Clinical Trials 2, 1981). It must also exceed the
/// noise, which is another one next time: what both ask for is added as independent errors are. None where all
/// resamples have one median: an error of 0 would promise too much.
fn detectable(ratio: Ratio, dependence: f64, noise: f64, level: f64) -> Option<f64> {
    let error = (ratio.ci95[1] / ratio.ci95[0]).ln() / (2.0 * upper(0.025)) * dependence.sqrt();
    let beyond = upper(1.0 - POWER) * error;
    let shift = (upper(level / 2.0) * error).hypot(noise.ln_1p()) + beyond;
    (error > 0.0).then(|| shift.exp_m1())
}

fn text(compared: &Compared, ratio: Ratio, found: bool, noise: f64) -> String {
    let unit = compared.metric.unit();
    match compared.verdict {
        Verdict::Higher | Verdict::Lower => difference(ratio, unit),
        Verdict::WithinNoise => format!(
            "{}, within the noise of {}",
            difference(ratio, unit),
            share(noise)
        ),
        _ => match compared.detectable {
            _ if found => "medians do not differ detectably; the distributions do".to_owned(),
            Some(detectable) => format!(
                "no difference detectable; one of {} would have been",
                share(detectable)
            ),
            None => "no difference: the medians of all resamples are the same".to_owned(),
        },
    }
}

fn difference(
    Ratio {
        value,
        ci95: [low, high],
    }: Ratio,
    unit: Unit,
) -> String {
    let word = match (unit, value > 1.0) {
        (Unit::Ns, true) => "slower",
        (Unit::Ns, false) => "faster",
        (_, true) => "more",
        (_, false) => "less",
    };
    if value >= DOUBLE {
        return format!("{word}: {value:.2} x ({low:.2} to {high:.2})");
    }
    let mut ends = [low, high].map(|end| 100.0 * (end - 1.0) * if value > 1.0 { 1.0 } else { -1.0 });
    ends.sort_by(f64::total_cmp);
    format!(
        "{word} by {} ({:.1} to {:.1})",
        share((value - 1.0).abs()),
        ends[0],
        ends[1]
    )
}

/// A share in percent, with two digits that count.
fn share(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        ..0.095 => format!("{percent:.2} %"),
        ..9.95 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}
