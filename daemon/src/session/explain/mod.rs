//! Why one cell differs from another: both are run again, in turns, without probes and then with them, and what the probes
//! saw becomes causes, which changes of one factor put to the test.
//!
//! ```text
//!   two cells --subject--> ready to run --plain runs--> a difference? --diagnosed runs--> profiles --analysis--> causes
//!                                                                                  changed runs --trials--> confirmed
//! ```

mod budget;
mod change;
mod recorded;
mod subject;
mod trials;

use std::time::Duration;

use wbd_analysis::explain::{self, Contained, Reach, Side, causes};
use wbd_model::compare::ComparedCell;
use wbd_model::explanation::{Cause, CauseKind, Difference, Explanation, Trial};
use wbd_model::profile::Profile;
use wbd_model::{Metric, Progress, SCHEMA, Sample};

use self::budget::{Budget, Clock};
use self::subject::Subject;
use super::cancel::Cancel;
use super::experiment::{ExperimentError, stored_bytes};
use super::laboratory::Laboratory;
use super::news::News;
use super::plan::Plan;
use crate::targets::assets::Assets;

/// Slowdown under the probes from which on the reader is warned.
const HEAVY: f64 = 1.3;

/// Said of a container.
const OUTSIDE: &str = "is a container and seen from outside: the steps to its program by the kernel's events, and what the \
                       program does is taken to be what the other cell does; no change was tried";
/// Said of a container whose program did not show.
const UNSEEN: &str = "the program in the container was not seen, so there is nothing to explain";
/// Cells whose runs lie so far apart differ, however few runs there are.
const CLEARLY_APART: f64 = 1.2;
/// So little of a recorded difference is no longer the same one.
const NEARLY_GONE: f64 = 0.2;
/// A share of the program's own code from which on it is looked at whether memory is behind it.
const WORTH_LOOKING: f64 = 0.2;
/// Shorter runs are over before their memory could be looked at.
const LONG_ENOUGH_NS: u64 = 4_000_000;

/// A cell that is part of the question.
pub(crate) struct Asked {
    /// Which.
    pub(crate) cell: ComparedCell,
    /// How to run it again, alone.
    pub(crate) plan: Plan,
    /// Its runs when it was recorded.
    pub(crate) recorded: Vec<Sample>,
}

/// Explains how A differs from B.
pub(crate) fn run(
    laboratory: &mut Laboratory,
    asked: [Asked; 2],
    assets: &Assets,
    news: &mut News,
    cancel: &Cancel,
) -> Result<Explanation, ExperimentError> {
    let clock = Clock::start();
    let [a, b] = &asked;
    stored_bytes(laboratory, &a.plan)?; // an explanation is kept too
    let recorded = recorded(a, b);
    laboratory.launcher.begin().map_err(ExperimentError::from)?;
    let mut subjects = [
        Subject::new(laboratory, a.plan.clone(), news)?,
        Subject::new(laboratory, b.plan.clone(), news)?,
    ];
    news.send(Progress::Preparing("runs without probes, in turns".to_owned()));
    let plain = in_turns(laboratory, subjects.each_mut(), Budget::PLAIN, cancel)?;
    let walls = each(&plain, Metric::Wall);
    let startups = each(&plain, Metric::Startup);
    let mut explanation = Explanation {
        schema: SCHEMA,
        a: a.cell.clone(),
        b: b.cell.clone(),
        recorded,
        difference: explain::between(&walls[0], &walls[1]),
        before_guest: startups
            .iter()
            .all(|startups| !startups.is_empty())
            .then(|| explain::between(&startups[0], &startups[1])),
        causes: Vec::new(),
        unattributed: 0.0,
        slowdown: None,
        experiments: Vec::new(),
        warnings: Vec::new(),
        verdict: String::new(),
        profiles: Vec::new(),
    };
    let now = explain::difference(&walls[0], &walls[1]);
    let then = recorded::difference(a, b);
    if is_gone(now, then) {
        recorded::explain(&mut explanation, then, a, b);
        return Ok(explanation);
    }
    let mut seen = Seen {
        wall_ns: [0, 1].map(|side| explain::median(&walls[side])),
        is_apart: conditions_differ(&a.plan, &b.plan),
        ..Seen::default()
    };
    let plans = [&a.plan, &b.plan];
    seen.look(
        laboratory,
        plans,
        &plain,
        &mut explanation.warnings,
        (&*news, cancel),
    )?;
    if seen.asks_for_memory() {
        news.send(Progress::Preparing("runs whose memory is looked at".to_owned()));
        for (side, subject) in subjects.iter_mut().enumerate() {
            if seen.wall_ns[side] < LONG_ENOUGH_NS {
                continue;
            }
            let expected = Duration::from_nanos(seen.wall_ns[side]);
            seen.reach[side] = subject.reach(laboratory, expected, cancel)?;
        }
    }
    attribute(&mut explanation, &seen);
    if !seen.is_from_outside() {
        let question = trials::Question {
            plans,
            difference: explanation.difference,
            causes: &explanation.causes,
            wall_ns: seen.wall_ns,
            assets,
            clock,
        };
        let (experiments, left_out) = question.put(laboratory, &mut subjects, news, cancel)?;
        confirm(&mut explanation.causes, &experiments);
        explanation.warnings.extend(left_out);
        explanation.experiments = experiments;
        explanation.profiles = seen.profiles.into();
    }
    explanation.verdict = verdict(&explanation);
    Ok(explanation)
}

/// Whether the cells run on different CPUs, or with different nice values.
fn conditions_differ(a: &Plan, b: &Plan) -> bool {
    let cpus = |plan: &Plan| plan.request.conditions.cpus.clone();
    let (ours, theirs) = (&a.inherited, &b.inherited);
    cpus(a) != cpus(b) || ours.cpus() != theirs.cpus() || ours.nice() != theirs.nice()
}

/// Whether there is no difference now, or so little of a recorded one that what is left is another matter.
fn is_gone(now: Option<Difference>, then: Option<Difference>) -> bool {
    let left = |now: Difference, then: Difference| now.ns as f64 / then.ns as f64;
    match (now, then) {
        (None, _) => true,
        (Some(now), Some(then)) => left(now, then).abs() < NEARLY_GONE,
        (Some(_), None) => false,
    }
}

/// What was seen of both cells.
#[derive(Default)]
struct Seen {
    /// Medians without probes.
    wall_ns: [u64; 2],
    profiles: [Profile; 2],
    reach: [Option<Reach>; 2],
    /// Of containers, which are not run under probes.
    contained: [Option<Contained>; 2],
    /// Whether others may disturb one more than the other.
    is_apart: bool,
}

impl Seen {
    /// Runs both under probes; of what runs in a container, there is what runs without them showed.
    fn look(
        &mut self,
        laboratory: &mut Laboratory,
        plans: [&Plan; 2],
        plain: &[Vec<Sample>; 2],
        warnings: &mut Vec<String>,
        (news, cancel): (&News, &Cancel),
    ) -> Result<(), ExperimentError> {
        news.send(Progress::Preparing("runs under probes".to_owned()));
        for (side, plan) in plans.into_iter().enumerate() {
            if !subject::is_contained(plan) {
                self.profiles[side] = diagnosed(laboratory, plan, warnings, news, cancel)?;
                continue;
            }
            let unseen = || ExperimentError::NothingToRun(UNSEEN.to_owned());
            self.contained[side] = Some(Contained::of(&plain[side]).ok_or_else(unseen)?);
            warnings.push(format!("{} {OUTSIDE}", ["A", "B"][side]));
        }
        Ok(())
    }

    /// Whether one of them is a container. Then the other's profile is not given away either: alone it explains nothing.
    fn is_from_outside(&self) -> bool {
        self.contained.iter().any(Option::is_some)
    }

    fn sides(&self) -> [Side<'_>; 2] {
        [0, 1].map(|side| Side {
            profile: &self.profiles[side],
            wall_ns: self.wall_ns[side],
            reach: self.reach[side],
            contained: self.contained[side].as_ref(),
            is_apart: self.is_apart,
        })
    }

    /// Whether the program's own code carries so much that its memory is worth a look.
    fn asks_for_memory(&self) -> bool {
        let [a, b] = self.sides();
        let long_enough = self.wall_ns.iter().any(|wall| *wall >= LONG_ENOUGH_NS);
        let (found, _) = causes(a, b);
        let own = found.iter().find(|cause| cause.kind == CauseKind::UserCpu);
        long_enough && !self.is_from_outside() && own.is_some_and(|own| own.share >= WORTH_LOOKING)
    }
}

fn each<const CELLS: usize>(samples: &[Vec<Sample>; CELLS], metric: Metric) -> [Vec<u64>; CELLS] {
    samples.each_ref().map(|samples| values(samples, metric))
}

fn recorded(a: &Asked, b: &Asked) -> Option<Difference> {
    let [a, b] = [a, b].map(|asked| values(&asked.recorded, Metric::Wall));
    (!a.is_empty() && !b.is_empty()).then(|| explain::between(&a, &b))
}

fn values(samples: &[Sample], metric: Metric) -> Vec<u64> {
    let valid = samples.iter().filter(|sample| sample.valid);
    valid
        .filter_map(|sample| sample.metrics.get(&metric).copied())
        .collect()
}

/// Runs without probes, in turns: as many of each as the budget allows, and more where it is not clear whether the first
/// two differ.
fn in_turns<const CELLS: usize>(
    laboratory: &mut Laboratory,
    mut subjects: [&mut Subject; CELLS],
    budget: Budget,
    cancel: &Cancel,
) -> Result<[Vec<Sample>; CELLS], ExperimentError> {
    let mut made = [const { Vec::new() }; CELLS];
    for subject in subjects.iter_mut().filter(|_| budget.warms_up) {
        subject.plain(laboratory, cancel)?;
    }
    let begin = budget.begin();
    let is_clear = |made: &[Vec<Sample>]| {
        let [a, b] = [&made[0], &made[1]].map(|samples| values(samples, Metric::Wall));
        explain::apart(&a, &b) >= CLEARLY_APART
    };
    while begin.allows(made[0].len(), is_clear(&made)) {
        for (subject, made) in subjects.iter_mut().zip(&mut made) {
            made.push(subject.plain(laboratory, cancel)?);
        }
    }
    Ok(made)
}

/// Some runs under probes, made one.
fn diagnosed(
    laboratory: &mut Laboratory,
    plan: &Plan,
    warnings: &mut Vec<String>,
    news: &News,
    cancel: &Cancel,
) -> Result<Profile, ExperimentError> {
    let mut subject = Subject::for_probes(laboratory, plan, news)?;
    let begin = Budget::DIAGNOSED.begin();
    let mut profiles = Vec::new();
    let mut said = Vec::new();
    while begin.allows(profiles.len(), true) {
        let (profile, unnamed) = subject.profile(laboratory, cancel)?;
        said = unnamed;
        profiles.push(profile);
    }
    for warning in said {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    let pooled = explain::pool(profiles);
    pooled.ok_or_else(|| ExperimentError::NothingToRun("no run under probes was made".to_owned()))
}

fn attribute(explanation: &mut Explanation, seen: &Seen) {
    let sides = seen.sides();
    let slowdown = sides.map(|side| side.slowdown());
    (explanation.causes, explanation.unattributed) = causes(sides[0], sides[1]);
    explanation.slowdown = Some(slowdown);
    let lost: u64 = seen.profiles.iter().map(|profile| profile.lost).sum();
    if lost > 0 {
        explanation.warnings.push(format!(
            "{lost} things found no room in the kernel's tables and were not counted"
        ));
    }
    for (name, slowdown) in ["A", "B"].into_iter().zip(slowdown) {
        if slowdown > HEAVY {
            explanation.warnings.push(format!(
                "{name} took {slowdown:.1} times as long under the probes: what it does often weighs more than it should"
            ));
        }
    }
}

/// What is confirmed is what a change of one factor showed.
fn confirm(causes: &mut [Cause], experiments: &[Trial]) {
    for cause in causes {
        cause.confirmed = experiments
            .iter()
            .any(|trial| trial.kind == cause.kind && trial.confirms);
    }
}

fn verdict(explanation: &Explanation) -> String {
    let Difference { ratio, .. } = explanation.difference;
    let factor = if ratio >= 1.0 {
        format!("A takes {ratio:.2} times as long as B")
    } else {
        format!("A takes {ratio:.2} of B's time")
    };
    let Some(first) = explanation.causes.first() else {
        return format!("{factor}; no cause that was looked for carries it");
    };
    let sure = if first.confirmed {
        "confirmed by a change of that one thing"
    } else {
        "not confirmed by a change of one thing"
    };
    format!("{factor}, mostly for this: {} ({sure})", first.text)
}
