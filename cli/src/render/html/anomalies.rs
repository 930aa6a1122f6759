//! Cells that break the pattern of the rest, metric by metric.

use wbd_model::Anomalies;
use wbd_model::anomaly::{Anomaly, Pattern};

use super::element::{Field, escape, figure, list, name, table};
use crate::render::anomalies::{LEGEND, interval, with_group};
use crate::render::units;
use crate::render::workload;

const HEADINGS: [&str; 7] = ["target", "workload", "median", "expected", "ratio", "95 %", "p"];

/// All of them.
pub(super) fn draw(anomalies: &Anomalies) -> String {
    let patterns = anomalies.metrics.iter().map(pattern);
    let notes = LEGEND
        .lines()
        .map(|line| format!("<p class=\"key\">{}</p>\n", escape(line)));
    patterns.chain(notes).collect()
}

fn pattern(pattern: &Pattern) -> String {
    let heading = format!(
        "<h3>{}</h3>\n<p>{}</p>\n",
        escape(&with_group(pattern)),
        escape(&pattern.text)
    );
    if pattern.anomalies.is_empty() {
        return heading;
    }
    let rows: Vec<Vec<Field>> = pattern
        .anomalies
        .iter()
        .map(|anomaly| row(pattern, anomaly))
        .collect();
    let sentence = |anomaly: &Anomaly| match &anomaly.next {
        Some(next) => format!("{}; next: {next}", anomaly.text),
        None => anomaly.text.clone(),
    };
    let sentences: Vec<String> = pattern.anomalies.iter().map(sentence).collect();
    heading + &table(&HEADINGS, &rows) + &list(&sentences)
}

fn row(pattern: &Pattern, anomaly: &Anomaly) -> Vec<Field> {
    let unit = pattern.metric.unit();
    vec![
        name(anomaly.cell.target.clone()),
        name(workload(&anomaly.cell.workload, anomaly.cell.size)),
        figure(units::figure(anomaly.value, unit)),
        figure(units::figure(anomaly.expected as u64, unit)),
        figure(format!("{:.2}", anomaly.ratio)),
        figure(interval(anomaly)),
        figure(format!("{:.4}", anomaly.p)),
    ]
}
