//! Why one cell differs from another: both are run again, in turns, without probes and then with them, and what the probes
//! saw becomes causes, which changes of one factor put to the test.
//!
//! ```text
//!   two cells --subject--> ready to run --plain runs--> a difference? --diagnosed runs--> profiles --analysis--> causes
//!                                                                                  changed runs --trials--> confirmed
//! ```

mod budget;
mod subject;
mod trials;

use wbd_analysis::explain::{self, Side, causes};
use wbd_model::compare::ComparedCell;
use wbd_model::explanation::{Cause, CauseKind, Difference, Explanation, Trial};
use wbd_model::profile::Profile;
use wbd_model::{Metric, Progress, SCHEMA, Sample};

use self::budget::Budget;
use self::subject::Subject;
use super::cancel::Cancel;
use super::experiment::ExperimentError;
use super::laboratory::Laboratory;
use super::news::News;
use super::plan::Plan;
use crate::targets::assets::Assets;

/// Slowdown under the probes from which on the reader is warned.
const HEAVY: f64 = 1.3;

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
    let [a, b] = &asked;
    let recorded = recorded(a, b);
    let mut subjects = [
        Subject::new(laboratory, a.plan.clone(), news)?,
        Subject::new(laboratory, b.plan.clone(), news)?,
    ];
    news.send(Progress::Preparing("runs without probes, in turns".to_owned()));
    let walls = in_turns(laboratory, &mut subjects, Budget::PLAIN, cancel)?;
    let mut explanation = Explanation {
        schema: SCHEMA,
        a: a.cell.clone(),
        b: b.cell.clone(),
        recorded,
        difference: explain::between(&walls[0], &walls[1]),
        causes: Vec::new(),
        unattributed: 0.0,
        slowdown: None,
        experiments: Vec::new(),
        warnings: Vec::new(),
        verdict: String::new(),
        profiles: Vec::new(),
    };
    if explain::difference(&walls[0], &walls[1]).is_none() {
        explain_recorded(&mut explanation, a, b);
        return Ok(explanation);
    }
    news.send(Progress::Preparing("runs under probes".to_owned()));
    let profiles = [
        diagnosed(laboratory, &a.plan, &mut explanation.warnings, news, cancel)?,
        diagnosed(laboratory, &b.plan, &mut explanation.warnings, news, cancel)?,
    ];
    attribute(&mut explanation, &profiles, &walls);
    let question = trials::Question {
        plans: [&a.plan, &b.plan],
        difference: explanation.difference,
        causes: &explanation.causes,
        assets,
    };
    let experiments = question.put(laboratory, news, cancel)?;
    confirm(&mut explanation.causes, &experiments);
    explanation.experiments = experiments;
    explanation.verdict = verdict(&explanation);
    explanation.profiles = profiles.into();
    Ok(explanation)
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

/// Wall times of both without probes, run in turns: as many as the budget allows.
fn in_turns(
    laboratory: &mut Laboratory,
    subjects: &mut [Subject; 2],
    budget: Budget,
    cancel: &Cancel,
) -> Result<[Vec<u64>; 2], ExperimentError> {
    let mut walls = [Vec::new(), Vec::new()];
    for subject in subjects.iter_mut() {
        subject.wall(laboratory, cancel)?; // warms up
    }
    let begin = budget.begin();
    while begin.allows(walls[0].len()) {
        for (subject, walls) in subjects.iter_mut().zip(&mut walls) {
            walls.push(subject.wall(laboratory, cancel)?);
        }
    }
    Ok(walls)
}

/// The quickest of some runs under probes that lost nothing: whatever disturbs, lengthens.
fn diagnosed(
    laboratory: &mut Laboratory,
    plan: &Plan,
    warnings: &mut Vec<String>,
    news: &News,
    cancel: &Cancel,
) -> Result<Profile, ExperimentError> {
    let mut subject = Subject::for_probes(laboratory, plan, news)?;
    let begin = Budget::DIAGNOSED.begin();
    let mut best: Option<Profile> = None;
    let mut said = Vec::new();
    for made in 0.. {
        if !begin.allows(made) {
            break;
        }
        let (profile, unnamed) = subject.profile(laboratory, cancel)?;
        said = unnamed;
        let rank = |profile: &Profile| (profile.lost, profile.wall_ns);
        if best.as_ref().is_none_or(|best| rank(&profile) < rank(best)) {
            best = Some(profile);
        }
    }
    for warning in said {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    best.ok_or_else(|| ExperimentError::NothingToRun("no run under probes was made".to_owned()))
}

fn attribute(explanation: &mut Explanation, profiles: &[Profile; 2], walls: &[Vec<u64>; 2]) {
    let wall_ns = [0, 1].map(|side| explain::median(&walls[side]));
    let sides = [0, 1].map(|side| Side {
        profile: &profiles[side],
        wall_ns: wall_ns[side],
    });
    let slowdown = sides.map(|side| side.slowdown());
    (explanation.causes, explanation.unattributed) = causes(sides[0], sides[1]);
    explanation.slowdown = Some(slowdown);
    let lost: u64 = profiles.iter().map(|profile| profile.lost).sum();
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

/// A difference that is not there now: what was recorded with the runs may tell why it was.
fn explain_recorded(explanation: &mut Explanation, a: &Asked, b: &Asked) {
    let walls = [a, b].map(|asked| values(&asked.recorded, Metric::Wall));
    let Some(recorded) = explain::difference(&walls[0], &walls[1]) else {
        "no difference to explain: neither in the recorded runs nor in those made now"
            .clone_into(&mut explanation.verdict);
        return;
    };
    let waiting = [a, b].map(|asked| {
        let kinds = [Metric::RunqueueWait, Metric::Steal, Metric::InterruptTime];
        let medians = kinds.map(|metric| explain::median(&values(&asked.recorded, metric)));
        medians.iter().sum::<u64>()
    });
    let excess = waiting[0] as f64 - waiting[1] as f64;
    let share = excess / recorded.ns as f64;
    explanation.unattributed = 1.0;
    if share >= 0.1 {
        explanation.unattributed = 1.0 - share;
        explanation.causes.push(Cause {
            kind: CauseKind::Interference,
            share,
            text: format!(
                "when they were recorded, A's runs waited {} for a CPU, the hypervisor and interrupts in the median, B's {}: \
                 other programs on this machine, which is not its own doing; {:.0} % of the recorded difference",
                explain::time(waiting[0] as f64),
                explain::time(waiting[1] as f64),
                share * 100.0
            ),
            evidence: serde_json::json!({"a_ns": waiting[0], "b_ns": waiting[1]}),
            confirmed: true,
        });
    }
    explanation.verdict = format!(
        "no difference to explain now: the recorded one ({:.2} times) is gone when both run in turns{}",
        recorded.ratio,
        if share >= 0.1 {
            "; others on the machine made it"
        } else {
            "; what made it was not recorded"
        }
    );
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
