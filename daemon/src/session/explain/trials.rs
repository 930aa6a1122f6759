//! Changes of one factor that should make a difference vanish or grow, if its cause is what it seems to be.

use std::ffi::CString;

use wbd_analysis::explain::{self, Side, causes};
use wbd_linux::inherited::Inherited;
use wbd_model::explanation::{Cause, CauseKind, Difference, Trial};
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
    fn of(kind: CauseKind) -> &'static [Self] {
        match kind {
            CauseKind::Syscalls => &[Self::Blocks, Self::NullOutput, Self::Doubled],
            CauseKind::LockWait => &[Self::Blocks, Self::Doubled],
            CauseKind::Compile => &[Self::Ahead],
            CauseKind::Interference => &[Self::Priority],
            CauseKind::IoWait => &[Self::NullOutput, Self::Doubled],
            CauseKind::UserCpu
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

impl Question<'_> {
    /// Makes the changes, runs both cells with each, and judges.
    pub(super) fn put(
        &self,
        laboratory: &mut Laboratory,
        news: &News,
        cancel: &Cancel,
    ) -> Result<Vec<Trial>, ExperimentError> {
        let mut trials = Vec::new();
        let worth = self.causes.iter().filter(|cause| cause.share >= WORTH_TESTING);
        for cause in worth.take(MOST_CAUSES) {
            for &change in Change::of(cause.kind) {
                let Some(plans) = self.changed(change) else {
                    continue;
                };
                news.send(Progress::Preparing(format!("runs with {}", change.text())));
                let trial = self.trial(laboratory, (cause, change), plans, news, cancel);
                match trial {
                    Ok(trial) => {
                        let confirms = trial.confirms;
                        trials.push(trial);
                        if confirms {
                            break;
                        }
                    }
                    // A target that does not bear the change is no reason to give up the rest.
                    Err(ExperimentError::NothingToRun(why)) => tracing::info!("{}: {why}", change.text()),
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(trials)
    }

    /// Both plans with the change; none where it changes neither, or cannot be made.
    fn changed(&self, change: Change) -> Option<[Plan; 2]> {
        let changed = self.plans.map(|plan| match change {
            Change::NullOutput | Change::Priority => Some((plan.clone(), true)),
            Change::Blocks => self.blocks(plan),
            Change::Ahead => self.ahead(plan),
            Change::Doubled => self.doubled(plan).map(|plan| (plan, true)),
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

    fn doubled(&self, plan: &Plan) -> Option<Plan> {
        let mut request = plan.request.clone();
        let number = request.command.iter_mut().skip(1).rev().find_map(|word| {
            let number: u64 = word.parse().ok()?;
            Some((word, number))
        });
        let (word, number) = number.filter(|(_, number)| *number > 0)?;
        *word = number.checked_mul(2)?.to_string();
        self.replan(plan, request)
    }

    fn trial(
        &self,
        laboratory: &mut Laboratory,
        (cause, change): (&Cause, Change),
        plans: [Plan; 2],
        news: &News,
        cancel: &Cancel,
    ) -> Result<Trial, ExperimentError> {
        let [a, b] = plans;
        let mut subjects = [
            subject(laboratory, a, change, news)?,
            subject(laboratory, b, change, news)?,
        ];
        let walls = in_turns(laboratory, &mut subjects, Budget::CHANGED, cancel)?;
        let difference = explain::between(&walls[0], &walls[1]);
        let (confirms, came) = if change == Change::Doubled {
            let grew = self.growth(laboratory, &mut subjects, cause, &walls, cancel)?;
            let confirms = grew.is_some_and(|grew| DOUBLE.contains(&grew));
            let came = grew.map_or_else(
                || "it is no longer a cause".to_owned(),
                |grew| format!("what it carries is {grew:.1} times as much"),
            );
            (confirms, came)
        } else {
            let left = difference.ns as f64 / self.difference.ns as f64;
            let confirms = left <= 1.0 - cause.share.min(1.0) / 2.0;
            (
                confirms,
                format!("{:.0} % of the difference is left", left.max(0.0) * 100.0),
            )
        };
        let judged = if confirms {
            "as it should be"
        } else {
            "which does not confirm it"
        };
        Ok(Trial {
            change: change.text().to_owned(),
            kind: cause.kind,
            difference,
            confirms,
            text: format!("{}: {came}, {judged}", change.text()),
        })
    }

    /// How many times as much time a cause carries with the change.
    fn growth(
        &self,
        laboratory: &mut Laboratory,
        subjects: &mut [Subject; 2],
        cause: &Cause,
        walls: &[Vec<u64>; 2],
        cancel: &Cancel,
    ) -> Result<Option<f64>, ExperimentError> {
        let [a, b] = subjects;
        let profiles = [a.profile(laboratory, cancel)?.0, b.profile(laboratory, cancel)?.0];
        let sides = [0, 1].map(|side| Side {
            profile: &profiles[side],
            wall_ns: explain::median(&walls[side]),
        });
        let total = explain::between(&walls[0], &walls[1]).ns as f64;
        let (found, _) = causes(sides[0], sides[1]);
        let found = found.into_iter().find(|found| found.kind == cause.kind);
        Ok(found.map(|found| found.share * total / (cause.share * self.difference.ns as f64)))
    }
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
