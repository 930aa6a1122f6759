//! How many runs an explanation may make: it is waited for.

use std::time::{Duration, Instant};

/// A number of runs of each cell, and a time after which no more are begun.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    fewest: usize,
    most: usize,
    time: Duration,
}

impl Budget {
    /// For runs without probes.
    pub(super) const PLAIN: Self = Self {
        fewest: 3,
        most: 15,
        time: Duration::from_secs(6),
    };
    /// For runs of one cell under probes.
    pub(super) const DIAGNOSED: Self = Self {
        fewest: 1,
        most: 3,
        time: Duration::from_secs(2),
    };
    /// For runs with something changed.
    pub(super) const CHANGED: Self = Self {
        fewest: 3,
        most: 7,
        time: Duration::from_secs(2),
    };

    /// It runs from now on.
    pub(super) fn begin(self) -> Running {
        Running {
            budget: self,
            since: Instant::now(),
        }
    }
}

/// A budget that runs.
pub(super) struct Running {
    budget: Budget,
    since: Instant,
}

impl Running {
    /// Whether one more may be made after so many.
    pub(super) fn allows(&self, made: usize) -> bool {
        let Budget { fewest, most, time } = self.budget;
        made < fewest || (made < most && self.since.elapsed() < time)
    }
}
