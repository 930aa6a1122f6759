//! The page is well-formed, needs nothing from elsewhere, and holds what the documents hold.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use roxmltree::{Document, Node, ParsingOptions};
use wbd_analysis::histogram;
use wbd_model::anomaly::{Anomaly, Pattern};
use wbd_model::document::Distribution;
use wbd_model::explanation::{Cause, CauseKind, Difference, Explanation, Trial};

use super::*;
use crate::render::flame;
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
        anomalies: anomalies(),
        explanations: vec![explanation()],
        report,
    }
}

fn anomalies() -> Anomalies {
    let cell = flame::tests::explanation().a;
    let anomaly = Anomaly {
        cell: cell.clone(),
        value: 48_000_000,
        expected: 1_000_000.0,
        ratio: 48.0,
        ci95: None,
        p: 0.0005,
        text: "slow/fasta takes 48x as long".into(),
        partner: Some(cell),
        next: Some("wbctl explain 7:3 7:4".into()),
    };
    let pattern = |metric, anomalies| Pattern {
        metric,
        group: None,
        targets: 16,
        workloads: 7,
        cells: 112,
        typical: Some(0.1),
        anomalies,
        text: "a pattern".into(),
    };
    Anomalies {
        schema: wbd_model::SCHEMA,
        experiment: "7".into(),
        level: 0.05,
        metrics: vec![
            pattern(Metric::Execution, vec![anomaly]),
            pattern(Metric::Startup, vec![]),
        ],
    }
}

fn explanation() -> KeptExplanation {
    let cause = |kind, share, confirmed| Cause {
        kind,
        share,
        text: format!("seen of {kind}"),
        evidence: serde_json::Value::Null,
        confirmed,
    };
    let trial = Trial {
        change: "more".into(),
        kind: CauseKind::UserCpu,
        difference: Difference { ns: 1, ratio: 1.0 },
        confirms: true,
        text: "with more of it, more".into(),
    };
    KeptExplanation {
        created: 1_795_374_000,
        explanation: Explanation {
            causes: vec![
                cause(CauseKind::UserCpu, 0.9, true),
                cause(CauseKind::LockWait, 0.25, false),
            ],
            unattributed: -0.15,
            experiments: vec![trial],
            verdict: "A takes 4 times as long".into(),
            ..flame::tests::explanation()
        },
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
    let mut page = page(&documents()).unwrap();
    for (embedded, _) in embedded(&page.clone()) {
        page = page.replace(&embedded, ""); // what is in it has a test of its own, beside the flame graph
    }
    for loader in [
        "http:", "https:", "//", "url(", "@import", "<script", "<link", "src=", "<iframe", "xmlns",
    ] {
        assert!(!page.contains(loader), "{loader}");
    }
}

/// The data of each document within the page, as it stands there and as it is.
fn embedded(page: &str) -> Vec<(String, String)> {
    const DATA: &str = "data:image/svg+xml;base64,";
    let document = parse(page);
    let objects = document.descendants().filter(|node| node.has_tag_name("object"));
    let data = |object: Node<'_, '_>| {
        let data = object.attribute("data").unwrap();
        let svg = BASE64_STANDARD.decode(data.strip_prefix(DATA).unwrap()).unwrap();
        (data.to_owned(), String::from_utf8(svg).unwrap())
    };
    objects.map(data).collect()
}

#[test]
fn an_explanation_is_there_with_its_causes_its_trials_and_its_flame_graph() {
    let documents = documents();
    let page = page(&documents).unwrap();
    let document = parse(&page);
    let why = text(with_id(&document, "explanations"));
    for said in [
        "7:slow/fasta against 7:quick/fasta",
        "A takes 4 times as long",
        "90 %",
        "confirmed",
        "seen of lock-wait",
        "-15 %",
        "with more of it, more",
        "looks of the clock",
    ] {
        assert!(why.contains(said), "{said} is missing: {why}");
    }
    let graph = flame::graph(&documents.explanations[0].explanation)
        .unwrap()
        .unwrap();
    assert_eq!(embedded(&page)[0].1, graph);
    assert!(
        parse(&graph)
            .root_element()
            .has_tag_name(("http://www.w3.org/2000/svg", "svg"))
    );
    assert!(text(with_id(&document, "anomalies")).contains("next: wbctl explain 7:3 7:4"));
}

#[test]
fn a_page_without_explanations_says_how_to_get_one() {
    let mut documents = documents();
    documents.explanations.clear();
    let page = page(&documents).unwrap();
    let said = text(with_id(&parse(&page), "explanations"));
    assert!(said.contains("wbctl explain A B"), "{said}");
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
    assert!(text(time).contains("unavailable") && text(time).contains("not measured"));
    let reasons = text(document.root_element()).matches("unavailable: ").count();
    assert_eq!(reasons, 1, "each reason is told once, below the tables");
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
    let explanation = &mut documents.explanations[0].explanation;
    (explanation.a.target, explanation.verdict) = (EVIL.into(), EVIL.into());
    explanation.causes[0].text = EVIL.into();
    explanation.profiles[0].stacks[0].frames[0].function = EVIL.into();
    documents.anomalies.metrics[0].anomalies[0].text = EVIL.into();
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
