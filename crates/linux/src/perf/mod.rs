//! Perf counters: of a target and all its descendants, or of all processes of a cgroup.
//!
//! The kinds are described with perf-event2. A process's hardware counters are opened by the target itself behind the
//! exec gate, on itself, before it becomes the target: so they miss nothing. What the kernel counts by itself (CPU time,
//! faults, switches, migrations) is taken from its own account: opening and inheriting four software events would cost
//! a launch 25 us, as much as everything else behind the gate. A container's processes are runc's children, whose
//! account is not ours to read: there the events are the cgroup's, software ones too.

pub mod cgroup;
mod kind;
pub mod sets;

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;

pub use kind::{Counted, CounterKind, HardwareEvent, Level};

/// What a counter shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The count.
    pub value: u64,
    /// Nanoseconds it was enabled.
    pub enabled_ns: u64,
    /// Nanoseconds it really counted; less than enabled where the PMU was shared out in turns.
    pub running_ns: u64,
}

impl Reading {
    /// The count, scaled up to the time it was enabled; none where it was enabled and never counted.
    #[must_use]
    pub fn count(self) -> Option<u64> {
        if !self.is_scaled() {
            return Some(self.value);
        }
        let scaled = u128::from(self.value) * u128::from(self.enabled_ns);
        let scaled = scaled.checked_div(u128::from(self.running_ns))?;
        Some(u64::try_from(scaled).unwrap_or(u64::MAX))
    }

    /// Whether it counted part of the time alone.
    #[must_use]
    pub fn is_scaled(self) -> bool {
        self.running_ns < self.enabled_ns
    }

    /// The part of the time it was enabled that it counted, in percent.
    #[must_use]
    pub fn percent(self) -> u64 {
        self.running_ns.saturating_mul(100) / self.enabled_ns.max(1)
    }
}

/// Reads a counter; the counts of descendants are in it once they have ended.
pub fn read(counter: OwnedFd) -> io::Result<Reading> {
    let mut words = [0; 24];
    File::from(counter).read_exact(&mut words)?;
    let word = |at: usize| u64::from_ne_bytes(std::array::from_fn(|byte| words[at * 8 + byte]));
    Ok(Reading {
        value: word(0),
        enabled_ns: word(1),
        running_ns: word(2),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(value: u64, enabled_ns: u64, running_ns: u64) -> Reading {
        Reading {
            value,
            enabled_ns,
            running_ns,
        }
    }

    #[test]
    fn a_counter_that_ran_half_of_the_time_is_doubled_and_flagged() {
        let half = reading(10, 100, 50);
        assert_eq!(
            (half.count(), half.is_scaled(), half.percent()),
            (Some(20), true, 50)
        );
        let whole = reading(10, 100, 100);
        assert_eq!((whole.count(), whole.is_scaled()), (Some(10), false));
    }

    #[test]
    fn a_counter_that_never_ran_has_no_count() {
        assert_eq!(reading(0, 100, 0).count(), None);
        let never_enabled = reading(0, 0, 0);
        assert_eq!(never_enabled.count(), Some(0), "there was nothing to count");
    }

    #[test]
    fn no_count_is_too_large_to_scale() {
        assert_eq!(reading(u64::MAX, u64::MAX, 1).count(), Some(u64::MAX));
    }
}
