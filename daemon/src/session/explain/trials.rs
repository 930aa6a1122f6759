//! Changes of one factor that should make a difference vanish or grow, if its cause is what it seems to be.

use std::time::Duration;

use wbd_analysis::explain::{self, Side, causes};
use wbd_model::explanation::{Cause, CauseKind, Difference, Trial};
use wbd_model::profile::Profile;
use wbd_model::request::PageCache;
use wbd_model::{Metric, Progress, RunRequest, Size};

use super::budget::{Budget, Clock};
use super::change::{Change, subject};
use super::subject::Subject;
use super::{each, in_turns};
use crate::session::cancel::Cancel;
use crate::session::experiment::ExperimentError;
use crate::session::laboratory::Laboratory;
use crate::session::news::News;
use crate::session::plan::Plan;
use crate::targets::assets::Assets;

/// Causes that carry less are not put to the test.
const WORTH_TESTING: f64 = 0.2;
/// So many of them are.
const MOST_CAUSES: usize = 2;
/// What grows with the work at least, and at most, when there is twice as much.
const DOUBLE: std::ops::Range<f64> = 1.5..2.7;

/// Who grows less when a workload's size changes does not depend on it.
const FOLLOWS: f64 = 1.5;

/// What is put to the test.
pub(super) struct Question<'a> {
    pub(super) plans: [&'a Plan; 2],
    pub(super) difference: Difference,
    pub(super) causes: &'a [Cause],
    /// Medians without probes, nanoseconds.
    pub(super) wall_ns: [u64; 2],
    pub(super) assets: &'a Assets,
    /// How long all may take.
    pub(super) clock: Clock,
}

/// What a change came to. Runs with it and without took turns: a machine that is faster now than it was before is no change.
struct Outcome {
    /// Wall times of both cells without the change, nanoseconds.
    unchanged: [Vec<u64>; 2],
    /// With it.
    walls: [Vec<u64>; 2],
    /// Where the change is one of the amount, a run of each with it under probes.
    profiles: Option<[Profile; 2]>,
}

impl Question<'_> {
    /// Makes the changes, runs both cells with each, and judges; then what was left out for want of time.
    pub(super) fn put(
        &self,
        laboratory: &mut Laboratory,
        unchanged: &mut [Subject; 2],
        news: &News,
        cancel: &Cancel,
    ) -> Result<(Vec<Trial>, Vec<String>), ExperimentError> {
        let mut trials: Vec<Trial> = Vec::new();
        let mut left_out = Vec::new();
        let mut known: Vec<(Change, Option<Outcome>)> = Vec::new();
        let worth = self.causes.iter().filter(|cause| cause.share >= WORTH_TESTING);
        for cause in worth.take(MOST_CAUSES) {
            for &change in Change::of(cause) {
                if !known.iter().any(|(made, _)| *made == change) {
                    let Some(plans) = self.changed(change) else {
                        continue;
                    };
                    if !self.clock.allows(self.needed(change)) {
                        left_out.push(format!(
                            "{} was not tried: it would have taken too long",
                            change.text()
                        ));
                        continue;
                    }
                    let changed = (change, plans);
                    let outcome = outcome(laboratory, unchanged, changed, news, cancel)?;
                    known.push((change, outcome));
                }
                let outcome = known.iter().find(|(made, _)| *made == change);
                let Some((_, Some(outcome))) = outcome else {
                    continue;
                };
                trials.push(self.judge(cause, change, outcome));
                if trials.last().is_some_and(|trial| trial.confirms) {
                    break;
                }
            }
        }
        left_out.dedup();
        Ok((trials, left_out))
    }

    /// About how long a change takes to try.
    fn needed(&self, change: Change) -> Duration {
        let once = Duration::from_nanos(self.wall_ns.iter().sum());
        let times = if change == Change::Doubled { 2 } else { 1 };
        let under_probes = u32::from(change.is_of_amount());
        let turns = Budget::CHANGED.fewest();
        once * turns + once * times * (turns + under_probes)
    }

    /// Both plans with the change; none where it changes neither, or cannot be made.
    fn changed(&self, change: Change) -> Option<[Plan; 2]> {
        let changed = self.plans.map(|plan| match change {
            Change::NullOutput | Change::FileOutput | Change::Priority | Change::HugePages => {
                Some((plan.clone(), true))
            }
            Change::Blocks => self.blocks(plan),
            Change::Ahead => self.ahead(plan),
            Change::Doubled => self.doubled(plan),
            Change::Size => self.resized(plan),
            Change::WarmCache => self.warm(plan),
            Change::AnyCpu => self.anywhere(plan),
            Change::OneCpu => self.on_one_cpu(plan),
        });
        let [Some((a, a_differs)), Some((b, b_differs))] = changed else {
            return None;
        };
        (a_differs || b_differs).then_some([a, b])
    }

    fn replan(&self, plan: &Plan, request: RunRequest) -> Option<Plan> {
        Plan::new(request, plan.caller.clone(), plan.inherited.clone(), self.assets).ok()
    }

    fn blocks(&self, plan: &Plan) -> Option<(Plan, bool)> {
        let [workload] = &plan.request.workloads[..] else {
            return None;
        };
        let family = workload.split('-').next().unwrap_or(workload);
        let blocks = format!("{family}-block");
        if *workload == blocks {
            return Some((plan.clone(), false));
        }
        let request = RunRequest {
            workloads: vec![blocks],
            ..plan.request.clone()
        };
        Some((self.replan(plan, request)?, true))
    }

    fn ahead(&self, plan: &Plan) -> Option<(Plan, bool)> {
        let ahead = |target: &String| target.strip_suffix("-jit").map(|engine| format!("{engine}-aot"));
        let Some(targets) = plan.request.targets.iter().map(ahead).collect::<Option<Vec<_>>>() else {
            return Some((plan.clone(), false));
        };
        let request = RunRequest {
            targets,
            ..plan.request.clone()
        };
        Some((self.replan(plan, request)?, true))
    }

    fn doubled(&self, plan: &Plan) -> Option<(Plan, bool)> {
        let mut request = plan.request.clone();
        let programs = usize::from(request.wasm.is_none());
        let number = request.command.iter_mut().skip(programs).rev().find_map(|word| {
            let number: u64 = word.parse().ok()?;
            Some((word, number))
        });
        let (word, number) = number?;
        *word = number.checked_mul(2)?.to_string();
        Some((self.replan(plan, request)?, number > 0))
    }

    /// The next smaller size, which takes less time than this; of the smallest the next larger.
    fn resized(&self, plan: &Plan) -> Option<(Plan, bool)> {
        if plan.request.workloads.is_empty() {
            return None;
        }
        let size = match plan.request.size {
            Size::Seed => Size::Quick,
            Size::Quick | Size::Check => Size::Small,
            Size::Small => Size::Check,
        };
        let request = RunRequest {
            size,
            ..plan.request.clone()
        };
        Some((self.replan(plan, request)?, true))
    }

    fn warm(&self, plan: &Plan) -> Option<(Plan, bool)> {
        let mut request = plan.request.clone();
        let was = std::mem::take(&mut request.conditions.page_cache);
        Some((self.replan(plan, request)?, was == PageCache::Cold))
    }

    fn anywhere(&self, plan: &Plan) -> Option<(Plan, bool)> {
        let mut request = plan.request.clone();
        let chosen = std::mem::take(&mut request.conditions.cpus);
        Some((self.replan(plan, request)?, !chosen.is_empty()))
    }

    fn on_one_cpu(&self, plan: &Plan) -> Option<(Plan, bool)> {
        let mut request = plan.request.clone();
        let allowed = plan.inherited.cpus().numbers();
        let chosen = &mut request.conditions.cpus;
        let before = if chosen.is_empty() {
            allowed
        } else {
            chosen.clone()
        };
        *chosen = before.iter().copied().take(1).collect();
        Some((self.replan(plan, request)?, before.len() > 1))
    }

    fn judge(&self, cause: &Cause, change: Change, outcome: &Outcome) -> Trial {
        let [before, difference] = [&outcome.unchanged, &outcome.walls].map(|[a, b]| explain::between(a, b));
        let (confirms, came) = if before.ns.signum() == self.difference.ns.signum() {
            self.came(cause, change, outcome, [before.ns, difference.ns])
        } else {
            (false, "the runs without it beside them did not differ".to_owned())
        };
        let judged = if confirms { "confirmed" } else { "not confirmed so" };
        Trial {
            change: change.text().to_owned(),
            kind: cause.kind,
            difference,
            confirms,
            text: format!("{}, with {}: {came}: {judged}", cause.kind, change.text()),
        }
    }

    /// What a trial came to, and whether that confirms the cause; `differences` without the change and with it, nanoseconds.
    fn came(
        &self,
        cause: &Cause,
        change: Change,
        outcome: &Outcome,
        differences: [i64; 2],
    ) -> (bool, String) {
        if let Some(profiles) = &outcome.profiles {
            return match growth(cause, outcome, profiles) {
                Some(grew) => (
                    self.is_as_expected(change, grew, outcome),
                    format!("what it carries is {} times as much", factor(grew)),
                ),
                None => (false, "it is no longer a cause".to_owned()),
            };
        }
        let [before, now] = differences.map(|ns| ns as f64);
        let left = now / before;
        let confirms = left <= 1.0 - cause.share.min(1.0) / 2.0;
        (
            confirms,
            format!("{:.0} % of the difference is left", left.max(0.0) * 100.0),
        )
    }

    /// Whether a cause grew as it should: with twice the work to about twice, with another size in the same direction as
    /// the whole, and by a good part of it.
    fn is_as_expected(&self, change: Change, grew: f64, outcome: &Outcome) -> bool {
        if change == Change::Doubled {
            return DOUBLE.contains(&grew);
        }
        let slower = usize::from(self.difference.ns < 0);
        let [before, now] = [&outcome.unchanged, &outcome.walls].map(|walls| explain::median(&walls[slower]));
        let whole = now as f64 / before.max(1) as f64;
        let (whole, grew) = if whole < 1.0 {
            (whole.recip(), grew.recip())
        } else {
            (whole, grew)
        };
        whole >= FOLLOWS && grew >= FOLLOWS
    }
}

/// How many times as much time a cause carries with the change.
fn growth(cause: &Cause, outcome: &Outcome, profiles: &[Profile; 2]) -> Option<f64> {
    let Outcome { unchanged, walls, .. } = outcome;
    let sides = [0, 1].map(|side| Side {
        profile: &profiles[side],
        wall_ns: explain::median(&walls[side]),
        reach: None,
        contained: None,
        is_apart: false,
    });
    let [before, now] = [unchanged, walls].map(|[a, b]| explain::between(a, b).ns as f64);
    let (found, _) = causes(sides[0], sides[1]);
    // Whether memory is behind the program's own code is not asked again.
    let kind = match cause.kind {
        CauseKind::MemoryBandwidth => CauseKind::UserCpu,
        kind => kind,
    };
    let found = found.into_iter().find(|found| found.kind == kind)?;
    Some(found.share * now / (cause.share * before))
}

/// Runs both cells with a change and without; none where they do not bear it.
fn outcome(
    laboratory: &mut Laboratory,
    unchanged: &mut [Subject; 2],
    changed: (Change, [Plan; 2]),
    news: &News,
    cancel: &Cancel,
) -> Result<Option<Outcome>, ExperimentError> {
    let (change, plans) = changed;
    news.send(Progress::Preparing(format!("runs with {}", change.text())));
    match with_change(laboratory, unchanged, (change, plans), news, cancel) {
        Ok(outcome) => Ok(Some(outcome)),
        // A target that does not bear the change is no reason to give up the rest.
        Err(ExperimentError::NothingToRun(why)) => {
            tracing::info!("{}: {why}", change.text());
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

fn with_change(
    laboratory: &mut Laboratory,
    unchanged: &mut [Subject; 2],
    (change, [a, b]): (Change, [Plan; 2]),
    news: &News,
    cancel: &Cancel,
) -> Result<Outcome, ExperimentError> {
    let mut changed = [
        subject(laboratory, a, change, news)?,
        subject(laboratory, b, change, news)?,
    ];
    let [a, b] = unchanged;
    let [changed_a, changed_b] = &mut changed;
    let subjects = [a, b, changed_a, changed_b];
    let made = in_turns(laboratory, subjects, Budget::CHANGED, cancel)?;
    let [a, b, changed_a, changed_b] = each(&made, Metric::Wall);
    let mut profiles = None;
    if change.is_of_amount() {
        let [a, b] = &mut changed;
        profiles = Some([a.profile(laboratory, cancel)?.0, b.profile(laboratory, cancel)?.0]);
    }
    Ok(Outcome {
        unchanged: [a, b],
        walls: [changed_a, changed_b],
        profiles,
    })
}

/// A factor to two digits.
fn factor(of: f64) -> String {
    if of >= 0.95 {
        format!("{of:.1}")
    } else {
        format!("{of:.2}")
    }
}
