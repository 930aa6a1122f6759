//! How many runs an explanation may make: it is waited for.

use std::time::{Duration, Instant};

/// How long an explanation of targets of a second or less may take: nothing that can be left out is begun later, or if it
/// would not be over by then.
const WHOLE: Duration = Duration::from_secs(26);

/// The time of one explanation.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    end: Instant,
}

impl Clock {
    /// It runs from now on.
    pub(super) fn start() -> Self {
        Self {
            end: Instant::now() + WHOLE,
        }
    }

    /// Whether something that takes so long would be over in time.
    pub(super) fn allows(self, needed: Duration) -> bool {
        Instant::now() + needed <= self.end
    }
}

/// A number of runs of each cell, and a time after which no more are begun.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    fewest: usize,
    /// As long as it is not clear whether the cells differ.
    fewest_unclear: usize,
    most: usize,
    time: Duration,
    /// Whether a run of each comes before them that is not looked at.
    pub(super) warms_up: bool,
}

impl Budget {
    /// For runs without probes.
    pub(super) const PLAIN: Self = Self {
        fewest: 3,
        fewest_unclear: 6,
        most: 15,
        time: Duration::from_secs(6),
        warms_up: true,
    };
    /// For runs of one cell under probes.
    pub(super) const DIAGNOSED: Self = Self {
        fewest: 1,
        fewest_unclear: 1,
        most: 9,
        time: Duration::from_secs(2),
        warms_up: false,
    };
    /// For runs with something changed, and as many without.
    pub(super) const CHANGED: Self = Self {
        fewest: 3,
        fewest_unclear: 3,
        most: 7,
        time: Duration::from_secs(3),
        warms_up: false,
    };

    /// It runs from now on.
    pub(super) fn begin(self) -> Running {
        Running {
            budget: self,
            since: Instant::now(),
        }
    }

    /// How many runs of each cell there are at least.
    pub(super) fn fewest(self) -> u32 {
        u32::try_from(self.fewest).unwrap_or(u32::MAX)
    }
}

/// A budget that runs.
pub(super) struct Running {
    budget: Budget,
    since: Instant,
}

impl Running {
    /// Whether one more may be made after so many.
    pub(super) fn allows(&self, made: usize, is_clear: bool) -> bool {
        let Budget {
            fewest,
            fewest_unclear,
            most,
            time,
            ..
        } = self.budget;
        let needed = if is_clear { fewest } else { fewest_unclear };
        made < needed || (made < most && self.since.elapsed() < time)
    }
}
