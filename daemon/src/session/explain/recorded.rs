//! A difference that was recorded and is not there now: what was recorded with the runs tells what made it.
//!
//! Both cells run in turns now, and take the same time. So it was nothing that either of them is or does, but something
//! that was otherwise when one of them was recorded: who else wanted the CPU, or what the page cache held.

use wbd_analysis::explain;
use wbd_model::explanation::{Cause, CauseKind, Difference, Explanation};
use wbd_model::{Metric, Sample};

use super::{Asked, values};

/// What keeps a program from its CPU while it could go on.
const KEPT: [Metric; 3] = [Metric::RunqueueWait, Metric::Steal, Metric::InterruptTime];
/// A cause that carries less is not told.
const LEAST_SHARE: f64 = 0.1;

/// What others do on a machine lengthens the time that a program takes on its CPU by so much at most: its caches are shared,
/// and so may be the core.
const MOST_SLOWED: f64 = 2.0;

/// A smaller difference of recorded runs, made one after the other, is what any machine's state does to them.
const WORTH_TELLING: f64 = 1.1;

/// How far the recorded runs are apart; none where there is no difference to explain.
pub(super) fn difference(a: &Asked, b: &Asked) -> Option<Difference> {
    let [a, b] = [a, b].map(|asked| values(&asked.recorded, Metric::Wall));
    let found = explain::difference(&a, &b);
    found.filter(|found| found.ratio.max(found.ratio.recip()) >= WORTH_TELLING)
}

/// Says what there is to say where both take the same time now, and were so far apart when they were recorded.
pub(super) fn explain(explanation: &mut Explanation, then: Option<Difference>, a: &Asked, b: &Asked) {
    let Some(recorded) = then else {
        "no difference to explain: neither in the recorded runs nor in those made now"
            .clone_into(&mut explanation.verdict);
        return;
    };
    let samples = [&a.recorded[..], &b.recorded[..]];
    // Who took so much more time on CPUs did something else then: nobody disturbs another that much.
    let is_same_work = slowed(samples) <= MOST_SLOWED;
    let found = [others(samples), cold(samples)]
        .into_iter()
        .filter(|_| is_same_work);
    let mut causes: Vec<Cause> = found.filter_map(|found| found.cause(recorded)).collect();
    causes.sort_by(|a, b| b.share.total_cmp(&a.share));
    explanation.unattributed = 1.0 - causes.iter().map(|cause| cause.share).sum::<f64>();
    explanation.verdict = format!(
        "no difference to explain now: the recorded one ({:.2} times) is gone when both run in turns; {}",
        recorded.ratio,
        match causes.first() {
            Some(first) => format!("it was mostly this: {}", first.text),
            None => "nothing that was recorded of them carries it: the program, what it reads or the machine may be another now"
                .to_owned(),
        }
    );
    explanation.causes = causes;
}

/// Something recorded that was more on one side, in nanoseconds.
struct Found {
    kind: CauseKind,
    what: String,
    ns: [u64; 2],
}

impl Found {
    fn cause(self, recorded: Difference) -> Option<Cause> {
        let [a, b] = self.ns.map(|ns| ns as f64);
        let share = (a - b) / recorded.ns as f64;
        (share >= LEAST_SHARE).then(|| Cause {
            kind: self.kind,
            share,
            text: format!(
                "when they were recorded, {}: {} against {} in the median; {:.0} % of the recorded difference",
                self.what,
                explain::time(a),
                explain::time(b),
                share * 100.0
            ),
            evidence: serde_json::json!({"a_ns": a, "b_ns": b}),
            // Run again in turns, with the same machine for both, the difference was gone.
            confirmed: true,
        })
    }
}

/// How many times the CPU time of one side is that of the other.
fn slowed(samples: [&[Sample]; 2]) -> f64 {
    let [a, b] = samples.map(|samples| sum(samples, &[Metric::CpuTime]).max(1) as f64);
    a.max(b) / a.min(b)
}

/// They were kept from a CPU, or the same work took more time on one: what others do on the machine's next CPU slows it
/// down. Who waited for processes of its own, waited for what kept those.
fn others(samples: [&[Sample]; 2]) -> Found {
    let ns = if is_alone(samples) {
        samples.map(|samples| sum(samples, &[Metric::Wall]).saturating_sub(sum(samples, &[Metric::OffCpu])))
    } else {
        samples.map(|samples| sum(samples, &[Metric::Wall]))
    };
    let kept = samples.map(|samples| explain::time(sum(samples, &KEPT) as f64));
    Found {
        kind: CauseKind::Interference,
        what: format!(
            "others on this machine kept them from a CPU ({} against {}) or slowed it down by what they did on the next \
             one, which is not the program's doing",
            kept[0], kept[1]
        ),
        ns,
    }
}

/// Files that were read from the disk then and are in memory now.
fn cold(samples: [&[Sample]; 2]) -> Found {
    let ns = if is_alone(samples) {
        samples.map(|samples| sum(samples, &[Metric::OffCpu]))
    } else {
        [0; 2]
    };
    Found {
        kind: CauseKind::IoWait,
        what: "they waited for something else than a CPU, such as files that are in memory now".to_owned(),
        ns,
    }
}

/// Whether both are one thread: whatever held it up was seen.
fn is_alone(samples: [&[Sample]; 2]) -> bool {
    let others = samples.map(|samples| sum(samples, &[Metric::Processes, Metric::Threads]));
    others == [0, 0]
}

fn sum(samples: &[Sample], metrics: &[Metric]) -> u64 {
    let medians = metrics
        .iter()
        .map(|metric| explain::median(&values(samples, *metric)));
    medians.sum()
}
