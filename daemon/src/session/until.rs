//! When an experiment has made enough runs: once every cell's medians are known closely enough, or its time is up.
//!
//! Looking at the interval again and again until it happens to be narrow ends a little early on average, and the
//! interval then holds the true median less often than it says. Two things keep that small: there is no look before
//! [`FEWEST`] runs, and each stretch of runs until the next look is half as long as all before, so that 16 looks
//! reach 10,000 runs. `docs/STATISTICS.md` has what is left of it.

use std::time::{Duration, Instant};

use wbd_analysis::summarize;
use wbd_model::request::Until;
use wbd_model::{Metric, Sample};

/// Runs of each cell before the first look.
const FEWEST: u32 = 20;
/// The figures that must be known.
const WATCHED: [Metric; 2] = [Metric::Startup, Metric::Wall];

/// What is known of each cell so far.
pub(super) struct Precision {
    until: Until,
    begun: Instant,
    /// Rounds after which is looked next.
    next_look: u32,
    /// The values of each watched metric, cell by cell.
    values: Vec<[Vec<u64>; WATCHED.len()]>,
}

impl Precision {
    pub(super) fn new(until: Until, cells: usize) -> Self {
        Self {
            until,
            begun: Instant::now(),
            next_look: FEWEST,
            values: vec![Default::default(); cells],
        }
    }

    /// Takes up a run of a cell. One that does not count tells nothing.
    pub(super) fn add(&mut self, cell: usize, sample: &Sample) {
        if sample.valid {
            for (values, metric) in self.values[cell].iter_mut().zip(WATCHED) {
                values.extend(sample.metrics.get(&metric));
            }
        }
    }

    /// Why no more runs are needed after so many rounds, if none are.
    pub(super) fn reached(&mut self, rounds: u32) -> Option<String> {
        if let Some(budget) = self.until.budget_ms.map(Duration::from_millis)
            && self.begun.elapsed() >= budget
        {
            let up = format!("the time of {budget:?} was up");
            return Some(self.told(&up, rounds));
        }
        if rounds < self.next_look {
            return None;
        }
        self.next_look = rounds + rounds / 2;
        let known = self.widest()? <= self.goal();
        known.then(|| self.told("the medians were known closely enough", rounds))
    }

    /// What is told where all runs that were asked for have been made.
    pub(super) fn missed(&self, rounds: u32) -> String {
        self.told("all runs were made that -n allows", rounds)
    }

    fn goal(&self) -> f64 {
        f64::from(self.until.half_width_ppm) / 1e6
    }

    /// The widest of all intervals: from the median to the farther end, as a share of it. Cells without a run that
    /// counts are not waited for; where no cell has any there is none.
    fn widest(&self) -> Option<f64> {
        let watched = self.values.iter().flat_map(|cell| cell.iter().zip(WATCHED));
        watched
            .filter_map(|(values, metric)| half_width(values, metric))
            .reduce(f64::max)
    }

    fn told(&self, why: &str, rounds: u32) -> String {
        let widest = self.widest().map_or_else(
            || "no run counts".to_owned(),
            |widest| {
                format!(
                    "every median of startup and wall is known to {:.2} %",
                    100.0 * widest
                )
            },
        );
        format!(
            "ended after {rounds} runs of each cell: {why}; {widest}, {:.2} % was asked for",
            100.0 * self.goal()
        )
    }
}

fn half_width(values: &[u64], metric: Metric) -> Option<f64> {
    let summary = summarize(metric, values)?;
    let farther = summary
        .ci95
        .map(|end| end.abs_diff(summary.p50))
        .into_iter()
        .max()?;
    Some(farther as f64 / summary.p50.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use wbd_model::Exit;

    use super::*;

    fn sample(ns: u64, valid: bool) -> Sample {
        Sample {
            run: 0,
            order: 0,
            valid,
            exit: Exit::Code(0),
            instants: BTreeMap::new(),
            metrics: WATCHED.map(|metric| (metric, ns)).into(),
            notes: Vec::new(),
            threads: Vec::new(),
        }
    }

    fn one_percent(budget_ms: Option<u64>) -> Precision {
        let until = Until {
            half_width_ppm: 10_000,
            budget_ms,
        };
        Precision::new(until, 2)
    }

    /// After how many rounds it ends, the first cell steady, the second spread over `spread` ns of 1,000,000.
    fn ends(spread: u64) -> (u32, String) {
        let mut precision = one_percent(None);
        (1..=2_000)
            .find_map(|round| {
                precision.add(0, &sample(1_000_000, true));
                let value = 1_000_000 + u64::from(round).wrapping_mul(0x9E37_79B9_7F4A_7C15) % spread;
                precision.add(1, &sample(value, true));
                Some((round, precision.reached(round)?))
            })
            .unwrap()
    }

    #[test]
    fn steady_cells_end_at_the_first_look_and_the_widest_decides() {
        let (rounds, told) = ends(100);
        assert_eq!(rounds, FEWEST);
        assert!(
            told.starts_with("ended after 20 runs of each cell: the medians were known"),
            "{told}"
        );
        let (rounds, told) = ends(200_000);
        assert!([45, 67, 100, 150, 225, 337].contains(&rounds), "{rounds}: {told}");
    }

    #[test]
    fn a_budget_ends_it_whatever_is_known() {
        let mut precision = one_percent(Some(0));
        precision.add(0, &sample(5, false));
        let told = precision.reached(1).unwrap();
        assert!(
            told.contains("the time of 0ns was up; no run counts, 1.00 % was asked for"),
            "{told}"
        );
    }

    #[test]
    fn runs_that_do_not_count_tell_nothing() {
        let mut precision = one_percent(None);
        for round in 1..500 {
            precision.add(0, &sample(5, false));
            assert_eq!(precision.reached(round), None);
        }
        assert!(
            precision
                .missed(499)
                .contains("all runs were made that -n allows")
        );
    }
}
