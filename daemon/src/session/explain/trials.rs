//! Changes of one factor that should make a difference vanish or grow, if its cause is what it seems to be.

use std::ffi::CString;

use wbd_analysis::explain::{self, Side, causes};
use wbd_linux::inherited::Inherited;
use wbd_model::explanation::{Cause, CauseKind, Difference, Trial};
use wbd_model::profile::Profile;
use wbd_model::{Progress, RunRequest};

use super::budget::Budget;
use super::in_turns;
use super::subject::Subject;
use crate::session::cancel::Cancel;
use crate::session::conditions;
use crate::session::experiment::ExperimentError;
use crate::session::laboratory::Laboratory;
use crate::session::news::News;
use crate::session::plan::Plan;
use crate::session::prepare::How;
use crate::targets::assets::Assets;

/// Causes that carry less are not put to the test.
const WORTH_TESTING: f64 = 0.2;
/// So many of them are.
const MOST_CAUSES: usize = 2;
/// What grows with the work at least, and at most, when there is twice as much.
const DOUBLE: std::ops::Range<f64> = 1.5..2.7;
/// Nothing on the machine comes before this nice value.
const FIRST: i32 = -20;

/// A change of one factor, made to both cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Standard output goes nowhere.
    NullOutput,
    /// The workload writes the same in few large blocks.
    Blocks,
    /// Code is compiled before the run.
    Ahead,
    /// The command's last number is doubled.
    Doubled,
    /// Nothing else gets a CPU that this wants.
    Priority,
}

impl Change {
    fn text(self) -> &'static str {
        match self {
            Self::NullOutput => "standard output to the null device",
            Self::Blocks => "the same output in blocks of 64 KiB",
            Self::Ahead => "code compiled ahead of time",
            Self::Doubled => "twice the work (the last argument doubled)",
            Self::Priority => "before everybody else on the CPUs (nice -20)",
        }
    }

    /// What may put a cause to the test, the most telling first.
    fn of(cause: &Cause) -> &'static [Self] {
        match cause.kind {
            CauseKind::Syscalls if cause.text.contains("write") => {
                &[Self::Blocks, Self::NullOutput, Self::Doubled]
            }
            CauseKind::Syscalls => &[Self::Doubled],
            CauseKind::LockWait => &[Self::Blocks, Self::Doubled],
            CauseKind::Compile => &[Self::Ahead],
            CauseKind::Interference => &[Self::Priority],
            CauseKind::IoWait if cause.text.contains("write") => &[Self::NullOutput, Self::Doubled],
            CauseKind::IoWait
            | CauseKind::UserCpu
            | CauseKind::EngineCpu
            | CauseKind::Sleep
            | CauseKind::PageFaults
            | CauseKind::Processes
            | CauseKind::MemoryBandwidth => &[Self::Doubled],
        }
    }
}

/// What is put to the test.
pub(super) struct Question<'a> {
    pub(super) plans: [&'a Plan; 2],
    pub(super) difference: Difference,
    pub(super) causes: &'a [Cause],
    pub(super) assets: &'a Assets,
}

/// What a change came to: wall times of both cells, and for [`Change::Doubled`] a run of each under probes.
struct Outcome {
    walls: [Vec<u64>; 2],
    profiles: Option<[Profile; 2]>,
}

impl Question<'_> {
    /// Makes the changes, runs both cells with each, and judges.
    pub(super) fn put(
        &self,
        laboratory: &mut Laboratory,
        news: &News,
        cancel: &Cancel,
    ) -> Result<Vec<Trial>, ExperimentError> {
        let mut trials: Vec<Trial> = Vec::new();
        let mut known: Vec<(Change, Option<Outcome>)> = Vec::new();
        let worth = self.causes.iter().filter(|cause| cause.share >= WORTH_TESTING);
        for cause in worth.take(MOST_CAUSES) {
            for &change in Change::of(cause) {
                if !known.iter().any(|(made, _)| *made == change) {
                    known.push((change, self.outcome(laboratory, change, news, cancel)?));
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
        Ok(trials)
    }

    /// Runs both cells with a change; none where it cannot be made.
    fn outcome(
        &self,
        laboratory: &mut Laboratory,
        change: Change,
        news: &News,
        cancel: &Cancel,
    ) -> Result<Option<Outcome>, ExperimentError> {
        let Some(plans) = self.changed(change) else {
            return Ok(None);
        };
        news.send(Progress::Preparing(format!("runs with {}", change.text())));
        match with_change(laboratory, change, plans, news, cancel) {
            Ok(outcome) => Ok(Some(outcome)),
            // A target that does not bear the change is no reason to give up the rest.
            Err(ExperimentError::NothingToRun(why)) => {
                tracing::info!("{}: {why}", change.text());
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Both plans with the change; none where it changes neither, or cannot be made.
    fn changed(&self, change: Change) -> Option<[Plan; 2]> {
        let changed = self.plans.map(|plan| match change {
            Change::NullOutput | Change::Priority => Some((plan.clone(), true)),
            Change::Blocks => self.blocks(plan),
            Change::Ahead => self.ahead(plan),
            Change::Doubled => self.doubled(plan),
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
        let number = request.command.iter_mut().skip(1).rev().find_map(|word| {
            let number: u64 = word.parse().ok()?;
            Some((word, number))
        });
        let (word, number) = number?;
        *word = number.checked_mul(2)?.to_string();
        Some((self.replan(plan, request)?, number > 0))
    }

    fn judge(&self, cause: &Cause, change: Change, outcome: &Outcome) -> Trial {
        let difference = explain::between(&outcome.walls[0], &outcome.walls[1]);
        let (confirms, came) = match &outcome.profiles {
            Some(profiles) => match self.growth(cause, &outcome.walls, profiles) {
                Some(grew) => (
                    DOUBLE.contains(&grew),
                    format!("what it carries is {grew:.1} times as much"),
                ),
                None => (false, "it is no longer a cause".to_owned()),
            },
            None => {
                let left = difference.ns as f64 / self.difference.ns as f64;
                let confirms = left <= 1.0 - cause.share.min(1.0) / 2.0;
                (
                    confirms,
                    format!("{:.0} % of the difference is left", left.max(0.0) * 100.0),
                )
            }
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

    /// How many times as much time a cause carries with the change.
    fn growth(&self, cause: &Cause, walls: &[Vec<u64>; 2], profiles: &[Profile; 2]) -> Option<f64> {
        let sides = [0, 1].map(|side| Side {
            profile: &profiles[side],
            wall_ns: explain::median(&walls[side]),
        });
        let total = explain::between(&walls[0], &walls[1]).ns as f64;
        let (found, _) = causes(sides[0], sides[1]);
        let found = found.into_iter().find(|found| found.kind == cause.kind)?;
        Some(found.share * total / (cause.share * self.difference.ns as f64))
    }
}

fn with_change(
    laboratory: &mut Laboratory,
    change: Change,
    [a, b]: [Plan; 2],
    news: &News,
    cancel: &Cancel,
) -> Result<Outcome, ExperimentError> {
    let mut subjects = [
        subject(laboratory, a, change, news)?,
        subject(laboratory, b, change, news)?,
    ];
    let walls = in_turns(laboratory, &mut subjects, Budget::CHANGED, cancel)?;
    let mut profiles = None;
    if change == Change::Doubled {
        let [a, b] = &mut subjects;
        profiles = Some([a.profile(laboratory, cancel)?.0, b.profile(laboratory, cancel)?.0]);
    }
    Ok(Outcome { walls, profiles })
}

/// A cell with a change made to it.
fn subject(
    laboratory: &mut Laboratory,
    plan: Plan,
    change: Change,
    news: &News,
) -> Result<Subject, ExperimentError> {
    let changes = conditions::changes(&plan);
    let mut subject = Subject::new(laboratory, plan, news)?;
    let How::Process { program, .. } = subject.how() else {
        return Ok(subject);
    };
    match change {
        Change::NullOutput => {
            let shell = ["sh", "-c", "exec \"$0\" \"$@\" >/dev/null"]
                .map(|word| CString::new(word).unwrap_or_default());
            *program = program.clone().started_by(c"/bin/sh".to_owned(), shell.into());
        }
        Change::Priority => {
            if let (Ok(mut changes), Ok(_)) = (changes, Inherited::of_this_thread()) {
                changes.renice(FIRST);
                *program = program.clone().with(changes);
            }
        }
        Change::Blocks | Change::Ahead | Change::Doubled => {}
    }
    Ok(subject)
}
