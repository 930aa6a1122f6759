//! The tables of the page: those of the text report.

use wbd_model::report::{
    Claim, Compared, Figure, Group, Mark, Overhead, Part, Row, Start, Startup, Validity, Verdict,
};

use super::element::{Field, escape, figure, list, name, table};
use crate::render::report::words::{
    self, evidence, mark_name, name as group_name, tally, verdict_name, with_args,
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
            line.extend(fields(words::compared(&row.compared), &row.compared));
            line
        };
        group.rows.iter().map(line).collect()
    };
    table(&headings, &groups.iter().flat_map(of_group).collect::<Vec<_>>())
}

/// Figures, but for the last: whether they agree, or why there is none.
fn fields(words: impl IntoIterator<Item = String>, of: &Compared) -> Vec<Field> {
    let mut fields: Vec<Field> = words.into_iter().map(figure).collect();
    fields.pop();
    fields.push(verdict(of));
    fields
}

fn verdict(of: &Compared) -> Field {
    match (&of.figure, of.mark) {
        (Figure::Absent(why), _) => name(words::absence(why)).class("why"),
        (_, mark @ Mark::Disagrees) => name(mark_name(mark)).class("bad"),
        (_, mark @ Mark::Agrees) => name(mark_name(mark)).class("good"),
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
    let mut line = vec![name(start.target.clone())];
    line.extend(fields(words::start(start), &start.wall));
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
            line.extend(fields(words::compared(&part.compared), &part.compared));
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
