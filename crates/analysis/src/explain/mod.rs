//! Why one cell differs from another: what each spent its time on, and which parts carry the difference.
//!
//! The time of a run is the life of its root's main thread. It is taken apart by what that thread did, and where it only
//! waited for another thread's end, by what that one did ([`breakdown`]). Both cells' parts add up to their wall times, so
//! their differences add up to the difference. `docs/EXPLAIN.md` says when not to trust it.

mod breakdown;
mod samples;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use wbd_model::explanation::{Cause, CauseKind, Difference};
use wbd_model::profile::{Profile, Thread};

pub use self::breakdown::{Breakdown, Part};
pub use self::words::time;
use crate::ratio::ratio_of_medians;

/// A smaller difference is not worth explaining.
const LEAST_RATIO: f64 = 1.03;
/// A cause that carries less is left unattributed.
const LEAST_SHARE: f64 = 0.01;
/// What the probes add to one system call at most, nanoseconds.
const DEAREST_CALL_NS: f64 = 2_000.0;

fn calls(thread: &Thread) -> u64 {
    thread.syscalls.iter().map(|call| call.calls).sum()
}

/// How far A's runs are from B's; none where there is no difference to explain. Wall times without probes, nanoseconds.
#[must_use]
pub fn difference(a: &[u64], b: &[u64]) -> Option<Difference> {
    let ratio = ratio_of_medians(a, b)?;
    let [low, high] = ratio.ci95;
    let is_large = !(LEAST_RATIO.recip()..=LEAST_RATIO).contains(&ratio.value);
    (is_large && (low > 1.0 || high < 1.0)).then(|| between(a, b))
}

/// The difference of medians, whatever it is.
#[must_use]
pub fn between(a: &[u64], b: &[u64]) -> Difference {
    let [a, b] = [a, b].map(median);
    Difference {
        ns: a.cast_signed().wrapping_sub(b.cast_signed()),
        ratio: a as f64 / b.max(1) as f64,
    }
}

/// The lower median; 0 of none.
#[must_use]
pub fn median(values: &[u64]) -> u64 {
    let mut ascending = values.to_vec();
    ascending.sort_unstable();
    let middle = ascending.len().div_ceil(2).saturating_sub(1);
    ascending.get(middle).copied().unwrap_or(0)
}

/// One side: a run under probes, and how long the cell's runs take without them, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The run.
    pub profile: &'a Profile,
    /// The median without probes.
    pub wall_ns: u64,
}

impl Side<'_> {
    /// How much longer the run took under the probes.
    #[must_use]
    pub fn slowdown(&self) -> f64 {
        self.profile.wall_ns as f64 / self.wall_ns.max(1) as f64
    }

    /// The parts of a run without probes. What the probes add lies half before and half after each system call, where
    /// there are calls enough for that; else it is spread over everything.
    fn parts(&self) -> Breakdown {
        let parts = Breakdown::of(self.profile);
        let added = self.profile.wall_ns.saturating_sub(self.wall_ns) as f64;
        let calls = self.profile.threads.first().map_or(0, calls);
        if calls > 0 && added / calls as f64 <= DEAREST_CALL_NS {
            return parts.without_calls(added);
        }
        parts.scaled(1.0 / self.slowdown())
    }
}

/// The causes of a difference, ranked by the share they carry, and the share that has none.
#[must_use]
pub fn causes(a: Side, b: Side) -> (Vec<Cause>, f64) {
    let parts = [a, b].map(|side| side.parts());
    let total = a.wall_ns as f64 - b.wall_ns as f64;
    let mut excess = BTreeMap::<CauseKind, f64>::new();
    for (part, ns) in &parts[0].parts {
        *excess.entry(part.kind).or_default() += ns;
    }
    for (part, ns) in &parts[1].parts {
        *excess.entry(part.kind).or_default() -= ns;
    }
    let shares = excess.into_iter().map(|(kind, ns)| (kind, ns / total));
    let mut ranked: Vec<(CauseKind, f64)> = shares.filter(|(_, share)| *share >= LEAST_SHARE).collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let attributed: f64 = ranked.iter().map(|(_, share)| share).sum();
    let told = words::Told {
        sides: [a.profile, b.profile],
        parts: &parts,
        more: total >= 0.0,
    };
    let causes = ranked.into_iter().map(|(kind, share)| Cause {
        kind,
        share,
        text: told.sentence(kind, share),
        evidence: told.evidence(kind),
        confirmed: false,
    });
    (causes.collect(), 1.0 - attributed)
}
