//! The page is well-formed, needs nothing from elsewhere, and holds what the documents hold.

use roxmltree::{Document, Node, ParsingOptions};
use wbd_analysis::histogram;
use wbd_model::document::Distribution;

use super::*;
use crate::render::specimen;

fn documents() -> Documents {
    let report = specimen::report();
    let distribution = |metric, target: &str, values: &[u64]| Distribution {
        target: target.into(),
        workload: "empty".into(),
        size: None,
        metric,
        hdr: histogram::encode(&histogram::from_values(values).unwrap()).unwrap(),
        net_hdr: None,
    };
    let of = |metric| Histograms {
        experiment: report.experiment.clone(),
        cells: vec![
            distribution(metric, "native", &[600_000, 610_000, 620_000, 900_000]),
            distribution(metric, "docker", &[5; 9]),
        ],
    };
    Documents {
        histograms: [Metric::Startup, Metric::Execution]
            .map(|metric| (metric, of(metric)))
            .into(),
        timelines: specimen::timelines(),
        report,
    }
}

fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error}\n{page}"))
}

fn with_id<'a>(document: &'a Document<'a>, id: &str) -> Node<'a, 'a> {
    let found = document
        .descendants()
        .find(|node| node.attribute("id") == Some(id));
    found.unwrap_or_else(|| panic!("no {id}"))
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter(|node| node.is_text())
        .filter_map(|node| node.text())
        .collect()
}

#[test]
fn the_page_is_well_formed_and_its_links_lead_somewhere() {
    let page = page(&documents()).unwrap();
    let document = parse(&page);
    let links: Vec<&str> = document
        .descendants()
        .filter_map(|node| node.attribute("href"))
        .collect();
    assert!(links.len() >= 10, "{links:?}");
    for link in links {
        with_id(&document, link.strip_prefix('#').unwrap());
    }
}

#[test]
fn the_page_asks_nothing_of_any_network() {
    let page = page(&documents()).unwrap();
    for loader in [
        "http:", "https:", "//", "url(", "@import", "<script", "<link", "src=", "<iframe", "xmlns",
    ] {
        assert!(!page.contains(loader), "{loader}");
    }
}

#[test]
fn every_figure_of_the_tables_is_there_with_a_chart() {
    let documents = documents();
    let page = page(&documents).unwrap();
    let document = parse(&page);
    let time = with_id(&document, "time");
    let rows = time.descendants().filter(|node| node.has_tag_name("tr")).count();
    let groups = &documents.report.time;
    let figures: usize = groups.iter().map(|group| group.rows.len()).sum();
    assert_eq!(rows, (1 + groups.len()) + (1 + figures));
    assert!(text(time).contains("unavailable: ") && text(time).contains("not measured"));
    let charts = |id: &str| {
        with_id(&document, id)
            .descendants()
            .filter(|node| node.has_tag_name("svg"))
            .count()
    };
    assert_eq!(
        [charts("start"), charts("timelines"), charts("histograms")],
        [1, 2, 4]
    );
    assert!(charts("time") >= 2);
    assert_eq!(
        with_id(&document, "claims")
            .children()
            .filter(|node| node.has_tag_name("article"))
            .count(),
        documents.report.claims.len()
    );
}

#[test]
fn names_from_elsewhere_are_text() {
    const EVIL: &str = "</svg><script>alert('x')</script>\u{1b}&amp;\"";
    let mut documents = documents();
    documents.report.machine.cpu = EVIL.into();
    documents.report.warnings = vec![EVIL.into()];
    for group in documents
        .report
        .time
        .iter_mut()
        .chain(&mut documents.report.memory)
    {
        group.workload = EVIL.into();
        group.args = vec![EVIL.into()];
        for row in &mut group.rows {
            row.target = EVIL.into();
        }
    }
    for start in &mut documents.report.startup.rows {
        start.target = EVIL.into();
    }
    for timeline in &mut documents.timelines.cells {
        (timeline.target, timeline.workload) = (EVIL.into(), EVIL.into());
    }
    let page = page(&documents).unwrap();
    let document = parse(&page);
    assert!(document.descendants().all(|node| !node.has_tag_name("script")));
    assert!(text(with_id(&document, "time")).contains("<script>alert('x')</script>"));
}

#[test]
fn a_damaged_histogram_is_an_error_that_names_its_cell() {
    let mut documents = documents();
    documents.histograms[0].1.cells[1].hdr = "?".into();
    assert!(page(&documents).unwrap_err().to_string().contains("docker/empty"));
}

#[test]
fn an_empty_report_is_a_page() {
    let mut documents = documents();
    let report = &mut documents.report;
    (report.time, report.memory, report.overhead) = (vec![], vec![], vec![]);
    (report.claims, report.validity, report.startup.rows) = (vec![], vec![], vec![]);
    documents.histograms.clear();
    documents.timelines.cells.clear();
    parse(&page(&documents).unwrap());
}
