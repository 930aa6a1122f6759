//! What our own probes cost here, and how early they see a program's first instruction.

use wbd_model::host::{Check, EntryBias, Unavailable};

use super::check::{good, missing, warning};
use crate::launch::weight::Weight;

/// Share of a launch, in percent, from which on our own weight is worth a warning.
const HEAVY_PERCENT: f64 = 5.0;
/// How far two launches in a hundred may be off the median before the spread of the first instruction is worth a warning.
const SPREAD_LIMIT_NS: u64 = 25_000;
/// A difference of medians below this part of the launches' own spread is not to be told from noise.
const NOISE_SHARE: u64 = 4;

/// Grades what our probes add to the shortest life there is.
pub(crate) fn check_own_weight(figures: &Result<(Weight, EntryBias), Unavailable>) -> Check {
    let name = "own weight";
    match figures {
        Err(unavailable) => missing(name, unavailable.why.as_str(), &unavailable.mend),
        Ok((weight, _)) => {
            let us = |ns: u64| ns as f64 / 1000.0;
            let added = (weight.with_ns as f64 / weight.without_ns as f64 - 1.0) * 100.0;
            let found = format!(
                "the life of a program that does nothing takes {:.1} us with all probes on, {:.1} us with them \
                 off ({added:+.1} %); medians of {} launches each, in turns, which differ by {:.1} us among themselves",
                us(weight.with_ns),
                us(weight.without_ns),
                weight.launches,
                us(weight.spread_ns),
            );
            grade(name, found, added, weight)
        }
    }
}

/// Grades how early a program's first instruction is seen: by how far launches differ in that, since what is always the
/// same can be reckoned with.
pub(crate) fn check_entry_bias(figures: &Result<(Weight, EntryBias), Unavailable>) -> Check {
    let name = "first instruction";
    let bias = match figures {
        Err(unavailable) => return missing(name, unavailable.why.as_str(), &unavailable.mend),
        Ok((_, bias)) => bias,
    };
    let us = |ns: u64| ns as f64 / 1000.0;
    let found = format!(
        "seen {:.1} us before it runs in the median of {} launches, {:.1} us in 98 of 100: startup of native programs and \
         containers is too short by that",
        us(bias.early_ns),
        bias.launches,
        us(bias.p98_ns),
    );
    if bias.p98_ns - bias.early_ns > SPREAD_LIMIT_NS {
        return warning(name, found, "ask again when nothing else runs");
    }
    good(name, found)
}

/// A difference that noise hides is told as such, however small or negative it looks.
fn grade(name: &str, found: String, added: f64, weight: &Weight) -> Check {
    let hidden = weight.with_ns.abs_diff(weight.without_ns) < weight.spread_ns / NOISE_SHARE;
    if hidden && weight.spread_ns * NOISE_SHARE > weight.without_ns {
        return warning(name, found, "too noisy to tell: ask again when nothing else runs");
    }
    if added > HEAVY_PERCENT {
        return warning(
            name,
            found,
            "take it into account where microseconds matter, or ask again when nothing else runs",
        );
    }
    good(name, found)
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    fn check(with_ns: u64, spread_ns: u64) -> Check {
        let weight = Weight {
            with_ns,
            without_ns: 100_000,
            spread_ns,
            launches: 200,
        };
        check_own_weight(&Ok((weight, bias(0))))
    }

    fn bias(p98_ns: u64) -> EntryBias {
        EntryBias {
            early_ns: 0,
            p98_ns,
            launches: 50,
        }
    }

    #[test]
    fn a_bias_that_is_always_the_same_is_good_however_large() {
        let weight = Weight {
            with_ns: 1,
            without_ns: 1,
            spread_ns: 0,
            launches: 1,
        };
        let grade = |early_ns: u64, p98_ns: u64| {
            check_entry_bias(&Ok((
                weight,
                EntryBias {
                    early_ns,
                    ..bias(p98_ns)
                },
            )))
            .grade
        };
        assert_eq!(grade(90_000, 95_000), Grade::Good);
        assert_eq!(grade(4_000, 40_000), Grade::Warning);
    }

    #[test]
    fn more_than_five_percent_is_a_warning() {
        assert_eq!(check(104_900, 10_000).grade, Grade::Good);
        assert_eq!(check(105_100, 10_000).grade, Grade::Warning);
        assert!(
            check(105_100, 0).found.contains("+5.1 %"),
            "{}",
            check(105_100, 0).found
        );
    }

    #[test]
    fn what_noise_hides_is_not_called_good() {
        let hidden = check(90_000, 80_000);
        assert_eq!(hidden.grade, Grade::Warning);
        assert!(hidden.mend.unwrap().contains("noisy"));
    }
}
