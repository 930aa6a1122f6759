//! What our own probes cost here, and how early they see a program's first instruction.

use wbd_model::host::{Check, EntryBias, Unavailable};

use super::check::{good, missing, warning};
use crate::launch::hits::{Hits, ProgramTime};
use crate::launch::weight::Weight;

/// What was measured of wbd itself.
pub(crate) struct OwnFigures {
    /// What the probes add to a launch.
    pub(crate) weight: Weight,
    /// What each hit of them costs.
    pub(crate) hits: Hits,
    /// How early they see a first instruction.
    pub(crate) bias: EntryBias,
}

/// Share of a launch, in percent, from which on our own weight is worth a warning.
const HEAVY_PERCENT: f64 = 5.0;
/// How far two launches in a hundred may be off the median before the spread of the first instruction is worth a warning.
const SPREAD_LIMIT_NS: u64 = 25_000;
/// A difference of medians below this part of the launches' own spread is not to be told from noise.
const NOISE_SHARE: u64 = 4;

/// Grades what our probes add to the shortest life there is.
pub(crate) fn check_own_weight(figures: &Result<OwnFigures, Unavailable>) -> Check {
    let name = "own weight";
    match figures {
        Err(unavailable) => missing(name, unavailable.why.as_str(), &unavailable.mend),
        Ok(OwnFigures { weight, .. }) => {
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
pub(crate) fn check_entry_bias(figures: &Result<OwnFigures, Unavailable>) -> Check {
    let name = "first instruction";
    let bias = match figures {
        Err(unavailable) => return missing(name, unavailable.why.as_str(), &unavailable.mend),
        Ok(OwnFigures { bias, .. }) => bias,
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

/// What a hit of our probes costs, and what the kernel itself says of our programs.
pub(crate) fn check_hits(figures: &Result<OwnFigures, Unavailable>) -> Check {
    let name = "probe hits";
    let hits = match figures {
        Err(unavailable) => return missing(name, unavailable.why.as_str(), &unavailable.mend),
        Ok(OwnFigures { hits, .. }) => hits,
    };
    let (ran, ns) = hits
        .programs
        .iter()
        .fold((0, 0), |(ran, ns), program| (ran + program.hits, ns + program.ns));
    let each = |number: u64| number as f64 / f64::from(hits.launches.max(1));
    good(
        name,
        format!(
            "while they are attached the shortest system call of any process takes {:.0} ns instead of {:.0}; a mark costs {:.2} us; \
             our BPF programs ran {:.0} times a launch, {:.1} us in all ({:.1} % of the time, of all CPUs and whoever made them \
             run), by the kernel's own statistics: {}",
            hits.call_on_ns,
            hits.call_off_ns,
            hits.mark_ns / 1000.0,
            each(ran),
            each(ns) / 1000.0,
            ns as f64 / hits.took_ns.max(1) as f64 * 100.0,
            costliest(&hits.programs),
        ),
    )
}

/// The programs that took the most time in all, each with what it takes for a hit.
fn costliest(programs: &[ProgramTime]) -> String {
    const TOLD: usize = 4;
    let mut programs: Vec<&ProgramTime> = programs.iter().collect();
    programs.sort_by_key(|program| std::cmp::Reverse(program.ns));
    let told = programs.iter().take(TOLD).map(|program| {
        let each = program.ns / program.hits.max(1);
        format!("{} {each} ns a hit", program.name)
    });
    told.collect::<Vec<_>>().join(", ")
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
        check_own_weight(&Ok(figures(weight, bias(0))))
    }

    fn figures(weight: Weight, bias: EntryBias) -> OwnFigures {
        let ran = |name: &str, hits, ns| ProgramTime {
            name: name.to_owned(),
            hits,
            ns,
        };
        let hits = Hits {
            call_off_ns: 107.0,
            call_on_ns: 122.0,
            mark_ns: 510.0,
            launches: 100,
            took_ns: 10_000_000,
            programs: vec![ran("process_exit", 100, 40_000), ran("process_exec", 100, 60_000)],
        };
        OwnFigures { weight, hits, bias }
    }

    #[test]
    fn hits_are_told_for_each_launch_and_the_costliest_first() {
        let weight = Weight {
            with_ns: 1,
            without_ns: 1,
            spread_ns: 0,
            launches: 1,
        };
        let check = check_hits(&Ok(figures(weight, bias(0))));
        for said in [
            "122 ns instead of 107",
            "0.51 us",
            "2 times a launch, 1.0 us in all (1.0 %",
            "process_exec 600 ns a hit, process_exit 400 ns a hit",
        ] {
            assert!(check.found.contains(said), "{}", check.found);
        }
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
            check_entry_bias(&Ok(figures(
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
