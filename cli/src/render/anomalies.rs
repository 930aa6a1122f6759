//! Cells that break the pattern: metric by metric a table, the same in sentences, and what to type next.

use wbd_model::anomaly::{Anomalies, Anomaly, Group, Pattern};

use super::table::{left, plain, right, table};
use super::units::figure;
use super::{ABSENT, workload};

/// How to read the figures.
pub(super) const LEGEND: &str = "expected: of the cell's target and workload, by median polish; in brackets the 95 % interval (bootstrap)\n\
    p: how often some cell is as far off in regular tables of the same shape\n";

/// All of it as text.
pub(crate) fn draw(anomalies: &Anomalies) -> String {
    let mut text: String = anomalies.metrics.iter().map(pattern).collect();
    if anomalies
        .metrics
        .iter()
        .any(|pattern| !pattern.anomalies.is_empty())
    {
        text += LEGEND;
    }
    text
}

fn pattern(pattern: &Pattern) -> String {
    let heading = format!("{}: {}\n", pattern.metric, plain(&pattern.text));
    if pattern.anomalies.is_empty() {
        return heading + "\n";
    }
    let columns = ["cell", "target", "workload"].map(left).into_iter();
    let figures = ["median", "expected", "ratio", "95 %", "p"].map(right);
    let headings: Vec<_> = columns.chain(figures).collect();
    let rows = pattern
        .anomalies
        .iter()
        .map(|anomaly| row(pattern, anomaly))
        .collect();
    let sentences: String = pattern.anomalies.iter().map(sentence).collect();
    heading + &table(&headings, rows) + &sentences + "\n"
}

fn row(pattern: &Pattern, anomaly: &Anomaly) -> Vec<String> {
    let unit = pattern.metric.unit();
    vec![
        format!("{}:{}", anomaly.cell.experiment, anomaly.cell.number),
        anomaly.cell.target.clone(),
        workload(&anomaly.cell.workload, anomaly.cell.size),
        figure(anomaly.value, unit),
        figure(anomaly.expected as u64, unit),
        format!("{:.2}", anomaly.ratio),
        interval(anomaly),
        format!("{:.4}", anomaly.p),
    ]
}

/// The interval of a ratio.
pub(super) fn interval(anomaly: &Anomaly) -> String {
    anomaly.ci95.map_or_else(
        || ABSENT.to_owned(),
        |[low, high]| format!("[{low:.2}, {high:.2}]"),
    )
}

/// A metric, and of which targets.
pub(super) fn with_group(pattern: &Pattern) -> String {
    let group = match pattern.group {
        None => "",
        Some(Group::Compiling) => " of targets that compile in the run",
        Some(Group::NotCompiling) => " of targets that do not",
    };
    format!("{}{group}", pattern.metric)
}

fn sentence(anomaly: &Anomaly) -> String {
    let next = anomaly.next.as_ref();
    let next = next.map_or_else(String::new, |next| format!("    next: {}\n", plain(next)));
    format!("- {}\n{next}", plain(&anomaly.text))
}

#[cfg(test)]
mod tests {
    use wbd_model::compare::ComparedCell;
    use wbd_model::{Metric, SCHEMA};

    use super::*;

    fn specimen() -> Anomalies {
        let cell = ComparedCell {
            experiment: "7".to_owned(),
            number: 3,
            target: "a\x1b[2J".to_owned(),
            workload: "fasta".to_owned(),
            args: Vec::new(),
            size: None,
        };
        let anomaly = Anomaly {
            cell: cell.clone(),
            value: 48_000_000,
            expected: 1_000_000.4,
            ratio: 48.0,
            ci95: Some([40.0, 55.0]),
            p: 0.0005,
            text: "a\x1b[2J/fasta takes 48x as long".to_owned(),
            partner: Some(cell),
            next: Some("wbctl explain 7:3 7:4".to_owned()),
        };
        let pattern = |metric, anomalies, text: &str| Pattern {
            metric,
            group: None,
            targets: 16,
            workloads: 7,
            cells: 112,
            typical: Some(0.1),
            anomalies,
            text: text.to_owned(),
        };
        Anomalies {
            schema: SCHEMA,
            experiment: "7".to_owned(),
            level: 0.05,
            metrics: vec![
                pattern(Metric::Execution, vec![anomaly], "1 breaks it"),
                pattern(Metric::Startup, vec![], "none breaks it"),
            ],
        }
    }

    #[test]
    fn a_cell_is_told_with_the_command_that_explains_it_and_obeys_no_name() {
        let drawn = draw(&specimen());
        println!("{drawn}");
        for said in [
            "execution: 1 breaks it\n",
            "startup: none breaks it\n",
            "7:3",
            "48.0 ms",
            "1.00 ms",
            "[40.00, 55.00]",
            "    next: wbctl explain 7:3 7:4\n",
        ] {
            assert!(drawn.contains(said), "{said} is missing:\n{drawn}");
        }
        assert!(!drawn.contains('\x1b'));
    }
}
