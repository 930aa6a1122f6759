//! How to read a report, and what its reader must know beside the figures.

use wbd_model::Size;
use wbd_model::report::{Figure, Group, Mark, Report};

use super::words::{name, with_args};

/// The lines.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![
        "p50: median; intervals: 95 %, bootstrap; x native: ratio of medians, of the same workload with the same arguments"
            .to_owned(),
        format!(
            "they DISAGREE (!): the study's ratio lies outside our interval widened by {:.0} %, which is what its own repeated figures differ by",
            report.study.tolerance * 100.0
        ),
        "the study ran each command once and timed it whole; what it ran in, and at which size, is partly unknown".to_owned(),
    ];
    lines.extend(other_sizes(report));
    lines.extend(absent(report));
    for cell in report.validity.iter().filter(|cell| cell.failed > 0) {
        lines.push(format!(
            "failed: {}/{}: {} of {} runs made do not count",
            cell.target,
            with_args(&cell.workload, &cell.args),
            cell.failed,
            u64::from(cell.failed) + u64::from(cell.valid)
        ));
    }
    lines.extend(
        report
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}")),
    );
    lines
}

/// Why figures are not there, each reason once with the targets it is of.
fn absent(report: &Report) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    let groups = report.time.iter().chain(&report.memory);
    for row in groups.flat_map(|group| &group.rows) {
        let Figure::Absent(why) = &row.compared.figure else {
            continue;
        };
        let place = reasons.iter().position(|(known, _)| known == why);
        let place = place.unwrap_or_else(|| {
            reasons.push((why, Vec::new()));
            reasons.len() - 1
        });
        let targets = &mut reasons[place].1;
        if !targets.contains(&row.target.as_str()) {
            targets.push(&row.target);
        }
    }
    let told = reasons.iter().filter(|(why, _)| why.contains(": "));
    told.map(|(why, targets)| format!("{}: {why}", targets.join(", ")))
        .collect()
}

/// What was compared with the study at another size than the study's.
fn other_sizes(report: &Report) -> Option<String> {
    let compared = |group: &&Group| {
        group
            .rows
            .iter()
            .any(|row| row.compared.mark != Mark::NotCompared)
    };
    let other = |group: &&Group| group.size != Some(Size::Seed);
    let groups: Vec<String> = report
        .time
        .iter()
        .filter(compared)
        .filter(other)
        .map(name)
        .collect();
    (!groups.is_empty()).then(|| {
        format!(
            "the study's sizes were larger (`wbctl run --size seed`), and a ratio may depend on the size: {}",
            groups.join(", ")
        )
    })
}
