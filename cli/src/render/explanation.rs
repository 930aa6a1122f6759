//! An explanation: the difference, its causes by what they carry, what was tried, and where both runs spent their time.

use wbd_model::Unit;
use wbd_model::compare::ComparedCell;
use wbd_model::explanation::{Cause, Difference, Explanation, Trial};
use wbd_model::profile::Profile;

use super::busiest::busiest;
use super::table::plain;
use super::units::figure;
use super::workload;

/// Prose is as wide as this.
const WIDTH: usize = 100;
/// Functions that are shown of each run.
pub(super) const MOST_FUNCTIONS: usize = 8;

/// All of it as text.
pub(crate) fn draw(explanation: &Explanation) -> String {
    let mut text = format!(
        "A {}\nB {}\n",
        plain(&name(&explanation.a)),
        plain(&name(&explanation.b))
    );
    if let Some(recorded) = explanation.recorded {
        text += &format!("recorded: {}\n", difference(recorded));
    }
    text += &format!("now, in turns: {}\n", difference(explanation.difference));
    if let Some(before) = explanation.before_guest {
        text += &format!(
            "of that before the first instruction of the program itself: {}\n",
            difference(before)
        );
    }
    text += "\n";
    text += &wrapped(&explanation.verdict, "");
    if !explanation.causes.is_empty() {
        text += &format!("\n{}", causes(explanation));
    }
    if !explanation.experiments.is_empty() {
        text += "\nwhat was changed, one thing at a time:\n";
        text.extend(explanation.experiments.iter().map(trial));
    }
    for (which, profile) in ["A", "B"].into_iter().zip(&explanation.profiles) {
        text += &functions(which, profile);
    }
    if let Some([a, b]) = explanation.slowdown {
        text += &format!("\nunder probes A took {a:.2} times as long, B {b:.2} times\n");
    }
    for warning in &explanation.warnings {
        text += &format!("warning: {}\n", plain(warning));
    }
    text
}

/// A cell, with the workload's arguments.
pub(super) fn name(cell: &ComparedCell) -> String {
    let workload = workload(&cell.workload, cell.size);
    let args = cell.args.join(" ");
    let space = if args.is_empty() { "" } else { " " };
    format!("{}:{}/{workload}{space}{args}", cell.experiment, cell.target)
}

/// How far apart two cells are.
pub(super) fn difference(difference: Difference) -> String {
    let sign = if difference.ns < 0 { "-" } else { "+" };
    format!(
        "A takes {sign}{}, {:.2} times B's time",
        figure(difference.ns.unsigned_abs(), Unit::Ns),
        difference.ratio
    )
}

/// What each cause carries, and what was seen of it, on the lines below.
fn causes(explanation: &Explanation) -> String {
    let line = |cause: &Cause| {
        let sure = if cause.confirmed { ", confirmed" } else { "" };
        let share = percent(cause.share);
        let text = wrapped(&cause.text, "         ");
        format!("{share:>5} %  {}{sure}\n{text}", cause.kind)
    };
    let mut text = String::from("share of the difference, and what was seen:\n");
    text.extend(explanation.causes.iter().map(line));
    let left = percent(explanation.unattributed);
    text + &format!("{left:>5} %  unattributed\n")
}

/// A share in percent; what rounds to nothing has no sign.
pub(super) fn percent(share: f64) -> f64 {
    (share * 100.0).round() + 0.0
}

/// Prose in lines that can be read, each behind the indent.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in plain(text).split(' ') {
        let longer = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && indent.len() + longer > WIDTH {
            lines += &format!("{indent}{line}\n");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    lines + &format!("{indent}{line}\n")
}

fn trial(trial: &Trial) -> String {
    format!("- {}\n", plain(&trial.text))
}

/// Where the clock met a run most often.
fn functions(which: &str, profile: &Profile) -> String {
    let (all, places) = busiest(profile);
    let mut text = format!("\n{which} on its CPUs, by function ({all} looks):\n");
    for place in places.into_iter().take(MOST_FUNCTIONS) {
        let share = 100.0 * place.count as f64 / all.max(1) as f64;
        let module = plain(&place.frame.module);
        text += &format!("  {share:>5.1} %  {}  {module}\n", plain(&place.name()));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_rounds_to_nothing_has_no_sign() {
        assert_eq!(
            [-0.004, -1.64, 0.005].map(percent).map(|share| share.to_string()),
            ["0", "-164", "1"]
        );
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_too_long(words in prop::collection::vec("[a-z`]{1,30}", 0..60)) {
            let text = words.join(" ");
            let lines = wrapped(&text, "    ");
            prop_assert!(lines.lines().all(|line| line.len() <= WIDTH && line.starts_with("    ")));
            prop_assert_eq!(lines.split_whitespace().collect::<Vec<_>>().join(" "), text);
        }
    }
}
