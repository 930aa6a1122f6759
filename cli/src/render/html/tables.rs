//! The tables of the page: those of the text report.

use wbd_model::report::{
    Claim, Figure, Group, Mark, Overhead, Part, Ratio, Row, Start, Startup, StudyFigure, Validity, Verdict,
};

use super::element::{Field, escape, figure, list, name, table};
use crate::render::NOT_APPLICABLE;
use crate::render::report::words::{
    evidence, interval, mark_name, median, name as group_name, ratio_interval, study_ratio, study_value,
    tally, times, verdict_name, with_args,
};
use crate::render::report::{short, targets};

const COMPARED: [&str; 7] = [
    "ours (p50)",
    "95 % interval",
    "ratio",
    "95 % interval",
    "the study's",
    "its ratio",
    "they",
];

/// Time or memory as the study laid them out: workloads down, targets across.
pub(super) fn layout(groups: &[Group]) -> String {
    let targets = targets(groups);
    let headings = [&["workload"], &targets[..]].concat();
    let row = |group: &Group| {
        let figures = targets.iter().map(|target| figure(short(group, target)));
        std::iter::once(name(group_name(group))).chain(figures).collect()
    };
    table(&headings, &groups.iter().map(row).collect::<Vec<_>>())
}

/// Time or memory, one line for each figure.
pub(super) fn groups(groups: &[Group]) -> String {
    let headings = [&["workload", "target"], &COMPARED[..]].concat();
    let of_group = |group: &Group| -> Vec<Vec<Field>> {
        let line = |row: &Row| {
            let mut line = vec![name(group_name(group)), name(row.target.clone())];
            line.extend(compared(
                &row.figure,
                row.ratio.as_ref(),
                row.study.as_ref(),
                row.mark,
            ));
            line
        };
        group.rows.iter().map(line).collect()
    };
    table(&headings, &groups.iter().flat_map(of_group).collect::<Vec<_>>())
}

fn compared(ours: &Figure, ratio: Option<&Ratio>, study: Option<&StudyFigure>, mark: Mark) -> Vec<Field> {
    let absent = || NOT_APPLICABLE.to_owned();
    vec![
        figure(median(ours)),
        figure(interval(ours)),
        figure(ratio.map_or_else(absent, |ratio| times(ratio.value))),
        figure(ratio.map_or_else(absent, ratio_interval)),
        figure(study.map_or_else(absent, study_value)),
        figure(study.map_or_else(absent, study_ratio)),
        verdict(ours, mark),
    ]
}

fn verdict(ours: &Figure, mark: Mark) -> Field {
    match (ours, mark) {
        (Figure::Absent(why), _) => name(why.clone()).class("why"),
        (_, Mark::Disagrees) => name(mark_name(mark)).class("bad"),
        (_, Mark::Agrees) => name(mark_name(mark)).class("good"),
        (_, Mark::NotCompared) => name(""),
    }
}

/// The start, target by target.
pub(super) fn startup(startup: &Startup) -> String {
    let headings = [
        "target",
        "startup (p50)",
        "docker's / startup",
        "95 % interval",
        "wall (p50)",
        "docker's / wall",
        "95 % interval",
        "the study's",
        "its docker's / wall",
        "they",
    ];
    table(&headings, &startup.rows.iter().map(start).collect::<Vec<_>>())
}

fn start(start: &Start) -> Vec<Field> {
    let absent = || NOT_APPLICABLE.to_owned();
    let wall = compared(
        &start.wall,
        start.wall_ratio.as_ref(),
        start.study.as_ref(),
        start.mark,
    );
    let mut line = vec![
        name(start.target.clone()),
        figure(median(&start.startup)),
        figure(
            start
                .startup_ratio
                .map_or_else(absent, |ratio| times(ratio.value)),
        ),
        figure(start.startup_ratio.as_ref().map_or_else(absent, ratio_interval)),
    ];
    line.extend(
        wall.into_iter()
            .enumerate()
            .filter(|(column, _)| *column != 1)
            .map(|(_, field)| field),
    );
    line
}

/// What a container costs, part by part.
pub(super) fn overheads(overheads: &[Overhead]) -> String {
    if overheads.is_empty() {
        return "<p>No container was measured.</p>\n".to_owned();
    }
    let headings = [&["part"], &COMPARED[..]].concat();
    let one = |overhead: &Overhead| {
        let line = |part: &Part| {
            let mut line = vec![name(part.part.clone())];
            line.extend(compared(
                &part.figure,
                part.ratio.as_ref(),
                part.study.as_ref(),
                part.mark,
            ));
            line
        };
        let title = escape(&with_args(&overhead.workload, &overhead.args));
        let rows: Vec<_> = overhead.parts.iter().map(line).collect();
        format!("<h3>{title}</h3>\n{}", table(&headings, &rows))
    };
    let note = "<p>The ratio is to the native program's peak memory or CPU time.</p>\n";
    note.to_owned() + &overheads.iter().map(one).collect::<String>()
}

/// The claims, each with its answer.
pub(super) fn claims(claims: &[Claim]) -> String {
    claims.iter().map(claim).collect()
}

fn claim(claim: &Claim) -> String {
    let look = match claim.verdict {
        Verdict::Holds => "good",
        Verdict::Fails => "bad",
        _ => "why",
    };
    let mut lines: Vec<String> = claim.evidence.iter().map(evidence).collect();
    lines.extend(claim.missing.iter().map(|missing| format!("missing: {missing}")));
    format!(
        "<article id=\"{}\">\n<h3>{} <span class=\"{look}\">{}</span></h3>\n<p>It takes {}{}. The study: {}.</p>\n{}</article>\n",
        escape(&claim.name),
        escape(&claim.claim),
        verdict_name(claim.verdict),
        escape(&claim.test),
        tally(&claim.evidence),
        escape(&claim.study),
        list(&lines)
    )
}

/// How many runs of each cell count.
pub(super) fn validity(cells: &[Validity]) -> String {
    let line = |cell: &Validity| {
        vec![
            name(with_args(&cell.workload, &cell.args)),
            name(cell.target.clone()),
            figure(cell.runs.to_string()),
            figure(cell.valid.to_string()),
            figure(cell.failed.to_string()),
            name(cell.cache.clone()).class("why"),
        ]
    };
    let headings = [
        "workload",
        "target",
        "asked for",
        "count",
        "do not count",
        "cache state",
    ];
    table(&headings, &cells.iter().map(line).collect::<Vec<_>>())
}
