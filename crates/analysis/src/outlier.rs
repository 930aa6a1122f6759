//! Runs far slower than the rest of their cell, and why.
//!
//! A run is an outlier where the logarithm of its wall time lies beyond Tukey's outer fence, more than three
//! interquartile ranges above the third quartile (J. W. Tukey, *Exploratory Data Analysis*, 1977, ch. 2: "far
//! out"). Launches are skewed to the right, hence the logarithm; a run within 5 % of the median is none, however
//! narrow the rest. Quartiles are robust: a quarter of the runs may be disturbed before they hide one another.
//!
//! Its cause is the part of its time that exceeds the cell's median of that part the most. Parts are compared with
//! their medians one by one, so the shares are an account and no proof; what they leave over is unexplained. Runs
//! that are too fast are not labelled: there is no excess to explain.

use std::collections::BTreeMap;

use wbd_model::Metric;
use wbd_model::outlier::{Cause, Outlier};

use crate::runs::Runs;
use crate::summary::percentile;

/// Interquartile ranges above the third quartile.
const OUTER_FENCE: f64 = 3.0;
/// An outlier exceeds the median by at least this factor.
const LEAST_RATIO: f64 = 1.05;
/// Fewer runs have no quartiles worth the name.
const LEAST_RUNS: usize = 8;

/// The outliers among the valid runs, largest first.
#[must_use]
pub fn outliers(runs: &Runs) -> Vec<Outlier> {
    let Some(fence) = fence(&sorted(runs, Metric::Wall)) else {
        return Vec::new();
    };
    let typical = Typical::of(runs);
    let is_beyond = |wall: &u64| *wall as f64 > fence;
    let beyond = (0..runs.len()).filter_map(|place| {
        let wall = runs.metric(place, Metric::Wall).filter(is_beyond)?;
        Some((Run { runs, place }, wall))
    });
    let mut found: Vec<Outlier> = beyond.map(|(run, wall)| typical.explain(run, wall)).collect();
    found.sort_by_key(|outlier| (std::cmp::Reverse(outlier.value), outlier.run));
    found
}

/// The value beyond which one is an outlier; none where there are too few to tell.
fn fence(sorted: &[u64]) -> Option<f64> {
    if sorted.len() < LEAST_RUNS {
        return None;
    }
    let log = |percent| (percentile(sorted, percent).max(1) as f64).ln();
    let spread = log(75) - log(25);
    Some(
        (log(75) + OUTER_FENCE * spread)
            .max(log(50) + LEAST_RATIO.ln())
            .exp(),
    )
}

fn sorted(runs: &Runs, metric: Metric) -> Vec<u64> {
    let mut values = runs.values(metric);
    values.sort_unstable();
    values
}

/// One of the runs.
#[derive(Clone, Copy)]
struct Run<'a> {
    runs: &'a Runs,
    place: usize,
}

/// The medians of a cell.
struct Typical(BTreeMap<Metric, u64>);

impl Typical {
    fn of(runs: &Runs) -> Self {
        let median = |metric| {
            let values = sorted(runs, metric);
            (!values.is_empty()).then(|| (metric, percentile(&values, 50)))
        };
        Self(Metric::ALL.into_iter().filter_map(median).collect())
    }

    fn explain(&self, run: Run<'_>, wall: u64) -> Outlier {
        let excess = self.excess(run, Metric::Wall).max(1);
        let parts = self.parts(run);
        let known: u64 = parts.iter().map(|(_, excess)| excess).sum();
        let rest = (Cause::Unexplained, excess.saturating_sub(known));
        let largest = parts.into_iter().chain([rest]).max_by_key(|(_, excess)| *excess);
        let (cause, ns) = largest.unwrap_or(rest);
        Outlier {
            run: run.runs.number(run.place),
            metric: Metric::Wall,
            value: wall,
            cause,
            share: (ns as f64 / excess as f64).min(1.0),
        }
    }

    /// By how much each part of a run's time exceeds what is typical.
    fn parts(&self, run: Run<'_>) -> [(Cause, u64); 5] {
        let interrupts = self.excess(run, Metric::InterruptTime);
        let steal = self.excess(run, Metric::Steal);
        // The processor's clock went on during both.
        let cpu = self
            .excess(run, Metric::CpuTime)
            .saturating_sub(interrupts.saturating_add(steal));
        [
            (Cause::WaitedForCpu, self.excess(run, Metric::RunqueueWait)),
            (Cause::Interrupts, interrupts),
            (Cause::Steal, steal),
            (self.why_off_cpu(run), self.excess(run, Metric::OffCpu)),
            (self.why_on_cpu(run), cpu),
        ]
    }

    /// What it slept for: pages to be read, or something of its own.
    fn why_off_cpu(&self, run: Run<'_>) -> Cause {
        if self.excess(run, Metric::MajorFaults) > 0 {
            Cause::MajorFaults
        } else {
            Cause::Blocked
        }
    }

    /// What took it longer to compute: caches that another program or another CPU left cold, or itself.
    fn why_on_cpu(&self, run: Run<'_>) -> Cause {
        let moved = [Metric::Migrations, Metric::InvoluntarySwitches];
        if moved.into_iter().any(|metric| self.excess(run, metric) > 0) {
            Cause::Displaced
        } else {
            Cause::Program
        }
    }

    fn excess(&self, run: Run<'_>, metric: Metric) -> u64 {
        let value = run.runs.metric(run.place, metric).unwrap_or(0);
        value.saturating_sub(self.0.get(&metric).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wbd_model::{Exit, Instants, Sample};

    use super::*;

    fn sample(run: u32, metrics: &[(Metric, u64)]) -> Sample {
        Sample {
            run,
            order: run,
            valid: true,
            exit: Exit::Code(0),
            instants: Instants::new(),
            metrics: metrics.iter().copied().collect(),
            notes: vec![],
            threads: Vec::new(),
        }
    }

    /// Forty runs of 100 to 109 us and the one given.
    fn with(odd: &[(Metric, u64)]) -> Vec<Sample> {
        let quiet = [
            Metric::RunqueueWait,
            Metric::OffCpu,
            Metric::InterruptTime,
            Metric::Steal,
            Metric::Migrations,
            Metric::MajorFaults,
        ];
        let usual = |run: u32| {
            let wall = 100_000 + u64::from(run % 10) * 1_000;
            let busy = [(Metric::Wall, wall), (Metric::CpuTime, wall)];
            sample(run, &[busy.as_slice(), &quiet.map(|metric| (metric, 0))].concat())
        };
        (0..40).map(usual).chain([sample(40, odd)]).collect()
    }

    #[track_caller]
    fn only(odd: &[(Metric, u64)]) -> (Cause, f64) {
        let found = outliers(&with(odd).iter().collect());
        assert_eq!(found.iter().map(|outlier| outlier.run).collect::<Vec<_>>(), [40]);
        (found[0].cause, found[0].share)
    }

    #[test]
    fn the_cause_is_the_part_that_exceeds_its_median_the_most() {
        let wall = (Metric::Wall, 1_105_000);
        let cpu = (Metric::CpuTime, 105_000);
        assert_eq!(
            only(&[wall, cpu, (Metric::RunqueueWait, 1_000_000)]),
            (Cause::WaitedForCpu, 1.0)
        );
        assert_eq!(
            only(&[
                wall,
                cpu,
                (Metric::OffCpu, 750_000),
                (Metric::RunqueueWait, 250_000)
            ]),
            (Cause::Blocked, 0.75)
        );
        assert_eq!(
            only(&[wall, cpu, (Metric::OffCpu, 1_000_000), (Metric::MajorFaults, 2)]).0,
            Cause::MajorFaults
        );
        assert_eq!(only(&[wall, cpu]), (Cause::Unexplained, 1.0));
    }

    #[test]
    fn interrupts_and_theft_are_not_the_programs_own_time() {
        let burnt = [(Metric::Wall, 1_105_000), (Metric::CpuTime, 1_105_000)];
        let and = |metric, value| [burnt.as_slice(), &[(metric, value)]].concat();
        assert_eq!(only(&burnt), (Cause::Program, 1.0));
        assert_eq!(
            only(&and(Metric::InterruptTime, 900_000)),
            (Cause::Interrupts, 0.9)
        );
        assert_eq!(only(&and(Metric::Steal, 900_000)), (Cause::Steal, 0.9));
        assert_eq!(only(&and(Metric::Migrations, 1)).0, Cause::Displaced);
    }

    #[test]
    fn runs_that_do_not_count_and_few_runs_have_no_outliers() {
        let mut samples = with(&[(Metric::Wall, 1_000_000)]);
        assert!(outliers(&samples[35..].iter().collect()).is_empty(), "six runs");
        samples[40].valid = false;
        assert!(outliers(&samples.iter().collect()).is_empty());
    }

    #[test]
    fn equal_runs_do_not_make_a_slightly_slower_one_an_outlier() {
        let of = |wall| sample(0, &[(Metric::Wall, wall)]);
        let mut samples: Vec<Sample> = (0..20).map(|_| of(1_000)).collect();
        samples.push(of(1_049));
        assert!(outliers(&samples.iter().collect()).is_empty());
        samples.push(of(1_060));
        assert_eq!(outliers(&samples.iter().collect()).len(), 1);
    }

    proptest! {
        #[test]
        fn a_share_is_a_share_and_a_quarter_at_most_is_far_out(
            values in prop::collection::vec((1..u64::MAX, any::<u64>(), any::<u64>()), 0..60),
        ) {
            let run = |(run, (wall, wait, off)): (usize, (u64, u64, u64))| sample(
                run as u32,
                &[(Metric::Wall, wall), (Metric::RunqueueWait, wait / 4), (Metric::OffCpu, off / 4)],
            );
            let samples: Vec<Sample> = values.into_iter().enumerate().map(run).collect();
            let found = outliers(&samples.iter().collect());
            prop_assert!(found.len() * 4 <= samples.len());
            prop_assert!(found.iter().all(|outlier| (0.0..=1.0).contains(&outlier.share)));
            prop_assert!(found.is_sorted_by(|a, b| a.value >= b.value));
        }
    }
}
