//! The report, and the page it is exported as, hold the experiment's own figures.

use roxmltree::{Document, ParsingOptions};
use wbd_model::report::{Figure, Group, Mark, Verdict};
use wbd_model::{Experiment, Metric, Report, Size};
use wbd_tests::Home;
use wbd_tests::documents::{cell, p50};

/// Two targets, two workloads: one of the study's, and the one that does nothing.
fn measured(home: &Home) -> Experiment {
    home.measure(&[
        "-t",
        "native",
        "-t",
        "native-dynamic",
        "-w",
        "empty",
        "-w",
        "spectralnorm",
        "-n",
        "6",
    ])
}

fn median(groups: &[Group], workload: &str, target: &str) -> Option<u64> {
    let group = groups.iter().find(|group| group.workload == workload).unwrap();
    let row = group.rows.iter().find(|row| row.target == target).unwrap();
    match row.compared.figure {
        Figure::Measured { p50, n, .. } => Some(p50).filter(|_| n == 6),
        Figure::Absent(_) => None,
    }
}

/// Needs root.
#[test]
fn a_report_holds_the_medians_and_their_ratios() {
    let home = Home::new();
    let _wbd = home.start();
    let made = measured(&home);
    let report: Report = home.wbctl(&["--json", "report", "latest"]).expect(0).json();
    assert_eq!(report.experiment, made.experiment);
    for cell in &made.cells {
        for (groups, metric) in [(&report.time, Metric::Wall), (&report.memory, Metric::RssPeak)] {
            assert_eq!(
                median(groups, &cell.workload, &cell.target),
                Some(p50(cell, metric))
            );
        }
    }
    let computing = report
        .time
        .iter()
        .find(|group| group.workload == "spectralnorm")
        .unwrap();
    assert_eq!(computing.size, Some(Size::Seed));
    let [native, dynamic] = ["native", "native-dynamic"].map(|target| {
        let cells = made.cells.iter().filter(|cell| cell.workload == "spectralnorm");
        let of_target = |cell: &&wbd_model::Cell| cell.target == target;
        p50(cells.clone().find(of_target).unwrap(), Metric::Wall) as f64
    });
    let ratio = computing
        .rows
        .iter()
        .find(|row| row.target == "native-dynamic")
        .unwrap()
        .compared
        .ratio
        .unwrap();
    assert!((ratio.value - dynamic / native).abs() < 1e-9, "{ratio:?}");
    assert!(
        ratio.ci95[0] <= ratio.value && ratio.value <= ratio.ci95[1],
        "{ratio:?}"
    );
}

/// Needs root.
#[test]
fn what_a_report_lacks_is_said_and_never_a_figure() {
    let home = Home::new();
    let _wbd = home.start();
    measured(&home);
    let report: Report = home.wbctl(&["--json", "report", "latest"]).expect(0).json();
    assert_eq!(median(&report.time, "fasta", "native"), None);
    assert_eq!(median(&report.time, "spectralnorm", "wasmtime-jit"), None);
    assert!(report.overhead.is_empty());
    assert!(
        report
            .claims
            .iter()
            .all(|claim| claim.verdict == Verdict::Unanswered && !claim.missing.is_empty())
    );
    let compared = report
        .time
        .iter()
        .flat_map(|group| &group.rows)
        .filter(|row| row.compared.mark != Mark::NotCompared);
    assert_eq!(compared.count(), 0);
    let text = home.wbctl(&["report", "latest"]).expect(0).stdout;
    assert!(
        text.contains("not measured") && text.contains("not answered"),
        "{text}"
    );
    home.wbctl(&["report", "99"]).expect(2);
}

/// Needs root.
#[test]
fn the_page_is_well_formed_asks_nothing_of_any_network_and_names_every_cell() {
    let home = Home::new();
    let _wbd = home.start();
    let made = measured(&home);
    let page = home
        .wbctl(&["export", "latest", "--format", "html"])
        .expect(0)
        .stdout;
    for loader in ["http:", "https:", "url(", "@import", "<script", "<link", "src="] {
        assert!(!page.contains(loader), "{loader}");
    }
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&page, options).unwrap();
    let charts: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name("svg"))
        .filter_map(|node| node.attribute("aria-label"))
        .collect();
    for made in &made.cells {
        let name = format!("{}/{}", made.target, made.workload);
        let of_cell = charts.iter().filter(|label| label.starts_with(&name)).count();
        assert_eq!(
            of_cell, 3,
            "a waterfall and two distributions of {name}: {charts:?}"
        );
    }
    assert_eq!(cell(&made, "native").valid, 6);
}
