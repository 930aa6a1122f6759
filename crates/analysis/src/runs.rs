//! The runs of a cell that count, figure by figure: a tenth of the memory that they take one by one, so that a million can be
//! summed up.

use std::collections::BTreeMap;

use wbd_model::{InstantName, Metric, Sample};

/// The figures of runs that count, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    runs: Vec<u32>,
    metrics: BTreeMap<Metric, Column>,
    instants: BTreeMap<InstantName, Column>,
}

/// One figure of each run.
#[derive(Clone, Debug, Default)]
struct Column(Vec<u64>);

/// What stands for a figure that a run does not have: no clock and no counter comes to it.
const ABSENT: u64 = u64::MAX;

impl Column {
    /// Puts a run's figure at its place; those between that have none are absent.
    fn put(&mut self, place: usize, value: u64) {
        self.0.resize(place, ABSENT);
        self.0.push(value);
    }

    fn get(&self, place: usize) -> Option<u64> {
        self.0.get(place).copied().filter(|value| *value != ABSENT)
    }
}

impl Runs {
    /// Adds a run, if it counts.
    pub fn add(&mut self, sample: &Sample) {
        if !sample.valid {
            return;
        }
        let place = self.runs.len();
        self.runs.push(sample.run);
        for (&metric, &value) in &sample.metrics {
            self.metrics.entry(metric).or_default().put(place, value);
        }
        for (&name, instant) in &sample.instants {
            self.instants.entry(name).or_default().put(place, instant.ns);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether none counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// A metric of all runs that have it.
    #[must_use]
    pub fn values(&self, metric: Metric) -> Vec<u64> {
        let column = self.metrics.get(&metric);
        let values = column.into_iter().flat_map(|column| &column.0);
        values.copied().filter(|value| *value != ABSENT).collect()
    }

    /// Whether any run has this instant.
    #[must_use]
    pub fn has(&self, name: InstantName) -> bool {
        self.instants.contains_key(&name)
    }

    /// The number of the run at this place.
    pub(crate) fn number(&self, place: usize) -> u32 {
        self.runs[place]
    }

    /// A metric of the run at this place.
    pub(crate) fn metric(&self, place: usize, metric: Metric) -> Option<u64> {
        self.metrics.get(&metric)?.get(place)
    }

    /// The names of the instants that any run has.
    pub(crate) fn instants(&self) -> impl Iterator<Item = InstantName> {
        self.instants.keys().copied()
    }

    /// How long after `from` the run at this place passed `to`, in nanoseconds; none where it has not both. Further apart
    /// than an `i64` holds (292 years: no clock of a kernel, but what a damaged store may say) counts as that far.
    pub(crate) fn between(&self, place: usize, from: InstantName, to: InstantName) -> Option<i64> {
        let at = |name| self.instants.get(&name)?.get(place);
        Some(apart(at(from)?, at(to)?))
    }
}

impl<'a> FromIterator<&'a Sample> for Runs {
    fn from_iter<I: IntoIterator<Item = &'a Sample>>(samples: I) -> Self {
        let mut runs = Self::default();
        samples.into_iter().for_each(|sample| runs.add(sample));
        runs
    }
}

/// Nanoseconds from one instant to another, as far as an `i64` tells.
pub(crate) fn apart(from: u64, to: u64) -> i64 {
    let apart = i128::from(to) - i128::from(from);
    i64::try_from(apart).unwrap_or(if apart < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
pub(crate) mod tests {
    use wbd_model::{Exit, Instant};

    use super::*;

    /// A run with these figures.
    pub(crate) fn sample(
        run: u32,
        valid: bool,
        metrics: &[(Metric, u64)],
        instants: &[(InstantName, u64)],
    ) -> Sample {
        let instant = |&(name, ns): &(InstantName, u64)| (name, Instant::seen(ns, "tp"));
        Sample {
            run,
            order: run,
            valid,
            exit: Exit::Code(0),
            instants: instants.iter().map(instant).collect(),
            metrics: metrics.iter().copied().collect(),
            notes: Vec::new(),
            threads: Vec::new(),
        }
    }

    #[test]
    fn what_a_run_lacks_is_absent_and_what_does_not_count_is_left_out() {
        use InstantName::{Exec, Launch};
        let samples = [
            sample(0, true, &[(Metric::Wall, 5)], &[(Launch, 10), (Exec, 17)]),
            sample(1, false, &[(Metric::Wall, 99)], &[(Launch, 20), (Exec, 99)]),
            sample(2, true, &[(Metric::CpuTime, 7)], &[(Launch, 30)]),
            sample(3, true, &[(Metric::Wall, 6)], &[(Launch, 40), (Exec, 39)]),
        ];
        let runs: Runs = samples.iter().collect();
        assert_eq!((runs.len(), runs.number(2)), (3, 3));
        assert_eq!(runs.values(Metric::Wall), [5, 6]);
        assert_eq!(runs.values(Metric::CpuTime), [7]);
        assert_eq!(runs.metric(1, Metric::Wall), None);
        let steps = [0, 1, 2].map(|place| runs.between(place, Launch, Exec));
        assert_eq!(steps, [Some(7), None, Some(-1)]);
        assert!(runs.has(Exec) && !runs.has(InstantName::Exit));
    }
}
