//! The report as one page that needs no network: tables, charts drawn as SVG inside it, and how to read them.
//! It is well-formed XML as well as HTML, and all text from elsewhere is escaped.

mod anomalies;
mod chart;
mod element;
mod explanations;
mod figures;
mod tables;

use wbd_model::report::{Group, Report, Startup};
use wbd_model::request::{Histograms, KeptExplanation, Timelines};
use wbd_model::{Anomalies, Metric};

use self::element::{escape, fold, list, section};
use super::hist::Unreadable;
use super::listing::date;
use super::notes;
use super::report::{compared_with, legend};

const STYLE: &str = include_str!("style.css");

/// How the figures were taken, in a few sentences.
const METHOD: [&str; 4] = [
    "wbd launches each target itself, in shuffled rounds, and watches it from the kernel: launch is the execve entering \
     the kernel (for a container, the create request being sent), guest the first instruction of the user's own code, \
     exit the end of the last thread.",
    "startup is guest - launch, execution is exit - guest, wall is exit - launch. All instants are CLOCK_MONOTONIC.",
    "rss_peak is the largest resident set of the target's root process, read from its memory map at its exit.",
    "A run that failed, printed something wrong or lost an event does not count; no outlier is removed. What could not \
     be measured is said to be missing and why.",
];

/// What the page is made of.
pub(crate) struct Documents {
    /// The tables.
    pub(crate) report: Report,
    /// Distributions, metric by metric.
    pub(crate) histograms: Vec<(Metric, Histograms)>,
    /// Phases of the launches, medians.
    pub(crate) timelines: Timelines,
    /// Cells that break the pattern of the rest.
    pub(crate) anomalies: Anomalies,
    /// What was explained of its cells.
    pub(crate) explanations: Vec<KeptExplanation>,
}

/// The page.
///
/// # Errors
/// Fails where a histogram's text is damaged.
pub(crate) fn page(documents: &Documents) -> Result<String, Unreadable> {
    let report = &documents.report;
    let sections = [
        section("about", "What was measured", &about(report)),
        section("claims", "The claims", &tables::claims(&report.claims)),
        section("time", "Execution time", &compared(&report.time)),
        section("memory", "Peak memory", &compared(&report.memory)),
        section("start", "Start", &start(&report.startup)),
        section(
            "container",
            "What a container costs",
            &tables::overheads(&report.overhead),
        ),
        section(
            "anomalies",
            "What breaks the pattern",
            &anomalies::draw(&documents.anomalies),
        ),
        section(
            "explanations",
            "Why",
            &explanations::draw(&documents.explanations),
        ),
        section(
            "timelines",
            "Where the start goes",
            &figures::timelines(&documents.timelines),
        ),
        section(
            "histograms",
            "Distributions",
            &figures::histograms(&documents.histograms)?,
        ),
        section(
            "validity",
            "Which runs count",
            &tables::validity(&report.validity),
        ),
        section("method", "How to read this", &method(report)),
    ];
    Ok(document(report, &sections.concat()))
}

fn document(report: &Report, body: &str) -> String {
    let title = escape(&format!("wbd report on experiment {}", report.experiment));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{}{body}</body>\n</html>\n",
        contents()
    )
}

/// Links to the sections.
fn contents() -> String {
    const LINKS: [(&str, &str); 12] = [
        ("about", "what"),
        ("claims", "claims"),
        ("time", "time"),
        ("memory", "memory"),
        ("start", "start"),
        ("container", "container"),
        ("anomalies", "anomalies"),
        ("explanations", "why"),
        ("timelines", "timelines"),
        ("histograms", "distributions"),
        ("validity", "runs"),
        ("method", "method"),
    ];
    let links = LINKS.map(|(id, text)| format!("<a href=\"#{id}\">{text}</a>"));
    format!("<nav>{}</nav>\n", links.join(" "))
}

fn about(report: &Report) -> String {
    let mut lines = vec![
        format!(
            "Experiment {} ({}), {}, seed {}",
            report.experiment,
            report.state,
            date(report.created),
            report.seed
        ),
        notes::machine(&report.machine),
        format!("Compared with {}", compared_with(report)),
    ];
    lines.extend(
        report
            .warnings
            .iter()
            .map(|warning| format!("Warning: {warning}")),
    );
    list(&lines)
}

/// The most lines of ratios that are not folded away.
const SHOWN_RATIOS: usize = 40;

/// The study's table, its bars, and every ratio.
fn compared(groups: &[Group]) -> String {
    let lines: usize = groups.iter().map(|group| group.rows.len()).sum();
    let ratios = fold(
        "every ratio, its interval and the study's",
        lines <= SHOWN_RATIOS,
        &tables::groups(groups),
    );
    tables::layout(groups) + &figures::bars(groups) + &ratios
}

fn start(startup: &Startup) -> String {
    figures::starts(startup) + &tables::startup(startup)
}

fn method(report: &Report) -> String {
    let notes = METHOD.iter().map(|&note| note.to_owned());
    list(&notes.chain(legend::lines(report)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
