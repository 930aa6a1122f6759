//! The words of a report: figures, ratios, marks and verdicts, as the tables and the page spell them.

use wbd_model::report::{
    Bound, Compared, Evidence, Figure, Group, Mark, Ratio, Start, StudyFigure, StudyUnit, Verdict,
};

use crate::render::units::figure;
use crate::render::{ABSENT, NOT_APPLICABLE};

/// A group's workload with its arguments.
pub(crate) fn name(group: &Group) -> String {
    with_args(&group.workload, &group.args)
}

/// A workload as it is typed.
pub(crate) fn with_args(workload: &str, args: &[String]) -> String {
    let words: Vec<&str> = std::iter::once(workload)
        .chain(args.iter().map(String::as_str))
        .collect();
    words.join(" ")
}

/// A mark in a word; nothing where nothing was compared.
pub(crate) const fn mark_name(mark: Mark) -> &'static str {
    match mark {
        Mark::Agrees => "agree",
        Mark::Disagrees => "DISAGREE",
        Mark::NotCompared => "",
    }
}

/// A median, or a dash.
pub(crate) fn median(of: &Figure) -> String {
    match of {
        Figure::Measured { unit, p50, .. } => figure(*p50, *unit),
        Figure::Absent(_) => ABSENT.to_owned(),
    }
}

/// A median's interval, or nothing.
fn interval(of: &Figure) -> String {
    match of {
        Figure::Measured { unit, ci95, .. } => {
            format!("{} to {}", figure(ci95[0], *unit), figure(ci95[1], *unit))
        }
        Figure::Absent(_) => String::new(),
    }
}

/// A ratio's interval.
fn ratio_interval(ratio: &Ratio) -> String {
    format!("{} to {}", times(ratio.ci95[0]), times(ratio.ci95[1]))
}

/// A ratio to three significant digits.
pub(crate) fn times(ratio: f64) -> String {
    let decimals = match ratio {
        ..0.0995 => 4,
        ..0.9995 => 3,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{ratio:.decimals$}")
}

/// A figure of the study as it printed it.
fn study_value(of: &StudyFigure) -> String {
    let unit = match of.unit {
        StudyUnit::Seconds => "s",
        StudyUnit::Megabytes => "MB",
    };
    format!("{}{} {unit}", bound(of.bound), of.value)
}

/// A ratio of the study.
fn study_ratio(of: &StudyFigure) -> String {
    bound(of.ratio_bound).to_owned() + &times(of.ratio)
}

const fn bound(bound: Bound) -> &'static str {
    match bound {
        Bound::Exact => "",
        Bound::MoreThan => "> ",
        Bound::LessThan => "< ",
    }
}

/// The seven columns of a figure that may be compared.
pub(crate) fn compared(of: &Compared) -> [String; 7] {
    let absent = || NOT_APPLICABLE.to_owned();
    let (ratio, study) = (of.ratio.as_ref(), of.study.as_ref());
    [
        median(&of.figure),
        interval(&of.figure),
        ratio.map_or_else(absent, |ratio| times(ratio.value)),
        ratio.map_or_else(absent, ratio_interval),
        study.map_or_else(absent, study_value),
        study.map_or_else(absent, study_ratio),
        match (&of.figure, of.mark) {
            (Figure::Absent(why), _) => absence(why).to_owned(),
            (_, mark) => mark_name(mark).to_owned(),
        },
    ]
}

/// Why a figure is not there, as short as a table's cell; the legend has the rest of it.
pub(crate) fn absence(why: &str) -> &str {
    why.split_once(": ").map_or(why, |(short, _)| short)
}

/// The nine columns of a target's start: `startup` with its ratio, then `wall` without the median's interval.
pub(crate) fn start(of: &Start) -> [String; 9] {
    let absent = || NOT_APPLICABLE.to_owned();
    let ratio = of.startup_ratio.as_ref();
    let [wall, _, wall_ratio, wall_interval, study, study_ratio, they] = compared(&of.wall);
    [
        median(&of.startup),
        ratio.map_or_else(absent, |ratio| times(ratio.value)),
        ratio.map_or_else(absent, ratio_interval),
        wall,
        wall_ratio,
        wall_interval,
        study,
        study_ratio,
        they,
    ]
}

/// How much of the evidence meets the claim.
pub(crate) fn tally(evidence: &[Evidence]) -> String {
    let holds = evidence
        .iter()
        .filter(|seen| seen.verdict == Verdict::Holds)
        .count();
    match evidence.len() {
        0 => String::new(),
        all => format!("; so in {holds} of {all}"),
    }
}

/// One ratio in words.
pub(crate) fn evidence(seen: &Evidence) -> String {
    format!(
        "{} {}: {} / {} = {} ({}): {}",
        with_args(&seen.workload, &seen.args),
        seen.metric.map_or("size on disk", |metric| metric.as_str()),
        seen.over,
        seen.under,
        times(seen.ratio.value),
        ratio_interval(&seen.ratio),
        verdict_name(seen.verdict)
    )
}

/// A verdict in a word or two.
pub(crate) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Fails => "does not hold",
        Verdict::Partly => "holds in part",
        Verdict::Undecided => "undecided",
        Verdict::Unanswered => "not answered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_have_three_digits() {
        for (ratio, text) in [
            (0.012_34, "0.0123"),
            (0.5, "0.500"),
            (1.0, "1.00"),
            (9.996, "10.0"),
            (43.21, "43.2"),
            (1234.5, "1234"),
        ] {
            assert_eq!(times(ratio), text);
        }
    }
}
