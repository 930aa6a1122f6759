//! Where the time of a launch went: the phases between consecutive instants, and the timeline they lie on.
//!
//! Two views of the same runs, which need not agree to the nanosecond. [`median_phases`] gives the median of
//! each phase by itself; medians do not add up: the run with the median compile time is not the run with the
//! median `exec`, so the phases' sum may differ from the median of the whole. [`timeline`] gives the median of
//! each instant's offset from `launch`; its steps add up by construction, and are not the phases' medians.

use wbd_model::document::TimelineMark;
use wbd_model::{InstantName, Phase, Sample};

use crate::runs::{Runs, apart};
use crate::summary::percentile;

/// An instant takes part where at least this share of the valid runs, in percent, has it: one that is rarely
/// seen would cut a phase in two for few runs and leave it whole for the rest.
const NEEDED_PERCENT: usize = 90;

/// The phases between consecutive instants, in the order in which runs pass them: medians over the valid runs.
///
/// A phase whose median is negative (two methods of different delay observed its ends) counts as 0.
#[must_use]
pub fn median_phases(runs: &Runs) -> Vec<Phase> {
    let chain = chain(runs);
    chain
        .windows(2)
        .filter_map(|pair| median_phase(runs, pair[0].0, pair[1].0))
        .collect()
}

/// The instants as offsets from `launch`, earliest first: of one run, valid or not, or as medians over the
/// valid runs. Empty where there is no such run, or it has no `launch`.
#[must_use]
pub fn timeline(samples: &[Sample], run: Option<u32>) -> Vec<TimelineMark> {
    let Some(run) = run else {
        return median_marks(samples);
    };
    let sample = samples.iter().find(|sample| sample.run == run);
    in_order(sample.map(marks_of).unwrap_or_default())
}

/// The median of each instant's offset, with the method of a run that has it there.
fn median_marks(samples: &[Sample]) -> Vec<TimelineMark> {
    let valid = || samples.iter().filter(|sample| sample.valid);
    let is_it = |(name, offset_ns): (InstantName, i64)| {
        move |mark: &TimelineMark| mark.name == name && mark.offset_ns == offset_ns
    };
    let mark = |median| valid().flat_map(marks_of).find(is_it(median));
    chain(&valid().collect()).into_iter().filter_map(mark).collect()
}

/// The instants that runs pass, in their order, each with the median of its offset from `launch`.
fn chain(runs: &Runs) -> Vec<(InstantName, i64)> {
    let median = |name| {
        let offsets = ascending(runs, InstantName::Launch, name);
        let is_usual = !offsets.is_empty() && offsets.len() * 100 >= runs.len() * NEEDED_PERCENT;
        is_usual.then(|| (name, percentile(&offsets, 50)))
    };
    let mut chain: Vec<(InstantName, i64)> = runs.instants().filter_map(median).collect();
    chain.sort_by_key(|&(name, offset)| (offset, name));
    chain
}

fn median_phase(runs: &Runs, from: InstantName, to: InstantName) -> Option<Phase> {
    let lengths = ascending(runs, from, to);
    let ns = (!lengths.is_empty()).then(|| percentile(&lengths, 50))?;
    Some(Phase {
        from,
        to,
        ns: u64::try_from(ns).unwrap_or(0),
    })
}

/// The time between two instants in every run that has both: a run that has both always takes part, so that the chain of
/// phases has no gap.
fn ascending(runs: &Runs, from: InstantName, to: InstantName) -> Vec<i64> {
    let places = 0..runs.len();
    let mut lengths: Vec<i64> = places.filter_map(|place| runs.between(place, from, to)).collect();
    lengths.sort_unstable();
    lengths
}

fn marks_of(sample: &Sample) -> Vec<TimelineMark> {
    let mark = |name| {
        Some(TimelineMark {
            name,
            offset_ns: nanoseconds_between(sample, InstantName::Launch, name)?,
            method: sample.instants.get(&name)?.method.clone(),
            confidence: sample.instants.get(&name)?.confidence,
        })
    };
    sample.instants.keys().copied().filter_map(mark).collect()
}

/// `None` where either instant is missing.
fn nanoseconds_between(sample: &Sample, from: InstantName, to: InstantName) -> Option<i64> {
    let (from, to) = (sample.instants.get(&from)?, sample.instants.get(&to)?);
    Some(apart(from.ns, to.ns))
}

/// By offset; instants at the same nanosecond in the order in which a run passes them.
fn in_order(mut marks: Vec<TimelineMark>) -> Vec<TimelineMark> {
    marks.sort_by_key(|mark| (mark.offset_ns, mark.name));
    marks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wbd_model::InstantName as I;

    use super::*;

    fn sample(run: u32, valid: bool, instants: &[(I, u64)]) -> Sample {
        crate::runs::tests::sample(run, valid, &[], instants)
    }

    fn phase(from: I, to: I, ns: u64) -> Phase {
        Phase { from, to, ns }
    }

    #[test]
    fn a_phase_is_the_median_of_its_own_differences() {
        let samples = [
            sample(0, true, &[(I::Launch, 100), (I::Exec, 110), (I::Guest, 111)]),
            sample(1, true, &[(I::Launch, 0), (I::Exec, 20), (I::Guest, 23)]),
            sample(2, true, &[(I::Launch, 7), (I::Exec, 37), (I::Guest, 39)]),
        ];
        let expected = [phase(I::Launch, I::Exec, 20), phase(I::Exec, I::Guest, 2)];
        assert_eq!(median_phases(&samples.iter().collect()), expected);
    }

    #[test]
    fn invalid_runs_and_rare_instants_take_no_part() {
        let mut samples: Vec<Sample> = (0..10)
            .map(|run| sample(run, true, &[(I::Launch, 0), (I::Exit, 50)]))
            .collect();
        samples[3] = sample(3, true, &[(I::Launch, 0), (I::Exec, 9), (I::Exit, 50)]);
        samples.push(sample(10, false, &[(I::Launch, 0), (I::Exit, 9_999)]));
        assert_eq!(
            median_phases(&samples.iter().collect()),
            [phase(I::Launch, I::Exit, 50)]
        );
    }

    #[test]
    fn an_instant_that_one_run_in_ten_lacks_still_takes_part() {
        let whole = [(I::Launch, 0), (I::Exec, 9), (I::Exit, 50)];
        let mut samples: Vec<Sample> = (0..10).map(|run| sample(run, true, &whole)).collect();
        samples[3] = sample(3, true, &[(I::Launch, 0), (I::Exit, 50)]);
        let expected = [phase(I::Launch, I::Exec, 9), phase(I::Exec, I::Exit, 41)];
        assert_eq!(median_phases(&samples.iter().collect()), expected);
    }

    #[test]
    fn a_run_of_its_own_is_shown_even_where_it_does_not_count() {
        let samples = [sample(
            4,
            false,
            &[(I::Launch, 10), (I::Exec, 15), (I::FirstUser, 13)],
        )];
        let offsets: Vec<(I, i64)> = timeline(&samples, Some(4))
            .into_iter()
            .map(|mark| (mark.name, mark.offset_ns))
            .collect();
        assert_eq!(offsets, [(I::Launch, 0), (I::FirstUser, 3), (I::Exec, 5)]);
        assert_eq!(timeline(&samples, Some(5)), []);
        assert_eq!(timeline(&samples, None), []);
    }

    #[test]
    fn runs_without_a_launch_have_no_timeline() {
        assert_eq!(timeline(&[sample(0, true, &[(I::Exec, 5)])], Some(0)), []);
        assert_eq!(
            median_phases(&[sample(0, true, &[(I::Exec, 5), (I::Exit, 9)])].iter().collect()),
            []
        );
    }

    proptest! {
        #[test]
        fn any_instants_give_one_unbroken_chain(
            runs in prop::collection::vec((any::<bool>(), any::<[u64; 4]>()), 0..12),
        ) {
            let names = [I::Launch, I::Exec, I::Guest, I::Exit];
            let samples: Vec<Sample> = runs
                .iter()
                .enumerate()
                .map(|(run, (valid, ns))| {
                    let instants: Vec<_> = names.into_iter().zip(ns.iter().copied()).collect();
                    sample(run as u32, *valid, &instants)
                })
                .collect();
            let (phases, marks) = (median_phases(&samples.iter().collect()), timeline(&samples, None));
            for pair in phases.windows(2) {
                prop_assert_eq!(pair[0].to, pair[1].from);
            }
            prop_assert_eq!(phases.len(), marks.len().saturating_sub(1));
            prop_assert!(marks.is_sorted_by_key(|mark| mark.offset_ns));
        }
    }
}
