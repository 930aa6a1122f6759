//! Why one cell differs from another: what each spent its time on, and which parts carry the difference.
//!
//! The time of a run is the life of its root's main thread. It is taken apart by what that thread did, and where it only
//! waited for another thread's end, by what that one did ([`breakdown`]). Both cells' parts add up to their wall times, so
//! their differences add up to the difference. `docs/EXPLAIN.md` says when not to trust it.

mod breakdown;
mod calls;
mod contained;
mod pool;
mod reach;
mod samples;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use wbd_model::explanation::{Cause, CauseKind, Difference};
use wbd_model::profile::Profile;

pub use self::breakdown::{Breakdown, Part};
pub use self::contained::Contained;
pub use self::pool::pool;
pub use self::reach::Reach;
pub use self::words::time;
use crate::ratio::ratio_of_medians;

/// A smaller difference is not worth explaining.
const LEAST_RATIO: f64 = 1.03;
/// A cause that carries less is left unattributed.
const LEAST_SHARE: f64 = 0.01;
/// Fewer runs of a cell have no interval that could be believed.
const FEW_RUNS: usize = 6;

/// How far A's runs are from B's; none where there is no difference to explain. Wall times without probes, nanoseconds.
#[must_use]
pub fn difference(a: &[u64], b: &[u64]) -> Option<Difference> {
    let ratio = ratio_of_medians(a, b)?;
    let [low, high] = ratio.ci95;
    let is_large = !(LEAST_RATIO.recip()..=LEAST_RATIO).contains(&ratio.value);
    // Of few runs the interval is too narrow: then all of one must lie beyond all of the other.
    let is_sure = if a.len().min(b.len()) < FEW_RUNS {
        apart(a, b) > LEAST_RATIO
    } else {
        low > 1.0 || high < 1.0
    };
    (is_large && is_sure).then(|| between(a, b))
}

/// The slower cell's quickest run over the quicker cell's slowest: above 1 where no run of one is as quick as any of the
/// other.
#[must_use]
pub fn apart(a: &[u64], b: &[u64]) -> f64 {
    let over = |slow: &[u64], quick: &[u64]| {
        let ends = slow.iter().min().zip(quick.iter().max());
        ends.map_or(0.0, |(slow, quick)| *slow as f64 / (*quick).max(1) as f64)
    };
    over(a, b).max(over(b, a))
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
    /// How much memory it touches in a moment, where that was looked at.
    pub reach: Option<Reach>,
    /// What is seen of it from outside, where it is a container: then there was no run under probes.
    pub contained: Option<&'a Contained>,
    /// Whether it runs on other CPUs than the other side, or with another nice value: others may disturb it more.
    pub is_apart: bool,
}

impl Side<'_> {
    /// How much longer the run took under the probes.
    #[must_use]
    pub fn slowdown(&self) -> f64 {
        if self.contained.is_some() {
            return 1.0;
        }
        self.profile.wall_ns as f64 / self.wall_ns.max(1) as f64
    }

    /// The parts of a run without probes.
    fn parts(&self) -> Breakdown {
        Breakdown::of(self.profile).scaled_to(self.wall_ns as f64)
    }
}

/// The causes of a difference, ranked by the share they carry, and the share that has none.
#[must_use]
pub fn causes(a: Side, b: Side) -> (Vec<Cause>, f64) {
    let total = a.wall_ns as f64 - b.wall_ns as f64;
    let more = total >= 0.0;
    let mut parts = both_parts(a, b);
    if reach::is_memory(&[a, b], usize::from(!more)) {
        parts = parts.map(|parts| parts.renamed(CauseKind::UserCpu, CauseKind::MemoryBandwidth));
    }
    let others = common_interference(&parts);
    let mut excess = BTreeMap::<CauseKind, f64>::new();
    for (side, sign) in [(0, 1.0), (1, -1.0)] {
        let on_cpu = parts[side].where_kind(is_on_cpu);
        for (part, ns) in &parts[side].parts {
            let bears = if is_on_cpu(part.kind) { 1.0 + others } else { 1.0 };
            *excess.entry(part.kind).or_default() += sign * bears * ns;
        }
        *excess.entry(CauseKind::Interference).or_default() -= sign * others * on_cpu;
    }
    if !a.is_apart && !b.is_apart {
        // They run in turns on the same machine: who was disturbed more was so by chance.
        excess.remove(&CauseKind::Interference);
    }
    let shares = excess.into_iter().map(|(kind, ns)| (kind, ns / total));
    let mut ranked: Vec<(CauseKind, f64)> = shares.filter(|(_, share)| *share >= LEAST_SHARE).collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let attributed: f64 = ranked.iter().map(|(_, share)| share).sum();
    let told = words::Told {
        sides: [a.profile, b.profile],
        reach: [a.reach, b.reach],
        parts: &parts,
        more,
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

fn both_parts(a: Side, b: Side) -> [Breakdown; 2] {
    match (a.contained, b.contained) {
        (None, None) => [a.parts(), b.parts()],
        (Some(a), Some(b)) => [a.parts(None), b.parts(None)],
        (Some(a), None) => {
            let outside = b.parts();
            [a.parts(Some(&outside)), outside]
        }
        (None, Some(b)) => {
            let outside = a.parts();
            let inside = b.parts(Some(&outside));
            [outside, inside]
        }
    }
}

/// Whether time of this kind is spent on a CPU, which others on the machine may want as well.
fn is_on_cpu(kind: CauseKind) -> bool {
    !matches!(
        kind,
        CauseKind::Interference | CauseKind::Sleep | CauseKind::IoWait
    )
}

/// How long both sides together waited for a CPU that others had, over how long they were on one. Both run in turns on
/// the same machine, so what has twice as much to do waits twice as long: that is no cause of its own. Only what one side
/// waits beyond this is.
fn common_interference(parts: &[Breakdown; 2]) -> f64 {
    let both =
        |of: &dyn Fn(CauseKind) -> bool| -> f64 { parts.iter().map(|parts| parts.where_kind(of)).sum() };
    both(&|kind| kind == CauseKind::Interference) / both(&is_on_cpu).max(1.0)
}
