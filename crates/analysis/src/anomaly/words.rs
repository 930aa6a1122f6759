//! Patterns and what breaks them, in sentences.

use wbd_model::anomaly::{Anomaly, Group, Pattern};
use wbd_model::{Metric, Unit};

use super::table::FEWEST;

/// One cell.
pub(super) fn anomaly(metric: Metric, anomaly: &Anomaly) -> String {
    let cell = format!("{}/{}", anomaly.cell.target, anomaly.cell.workload);
    let interval = anomaly.ci95.map_or_else(
        || "one run".to_owned(),
        |[low, high]| format!("95 % {} to {}", factor(low), factor(high)),
    );
    let times = factor(anomaly.ratio);
    let what = match (metric, metric.unit()) {
        (Metric::Startup | Metric::NetStartup | Metric::StartOnly, _) => {
            format!("takes {times}x the start-up that")
        }
        (Metric::Execution | Metric::NetExecution | Metric::Wall | Metric::NetWall, _) => {
            format!("takes {times}x as long as")
        }
        (_, Unit::Ns | Unit::Count) => format!("has {times}x the {metric} that"),
        (_, Unit::Bytes) => format!("takes {times}x the memory that"),
    };
    format!(
        "{cell} {what} its row and column suggest ({interval}); {}",
        chance(anomaly.p)
    )
}

fn chance(p: f64) -> String {
    let in_thousand = (p * 1000.0).ceil();
    format!("at most {in_thousand} of 1000 regular tables have such a cell")
}

/// Two or three digits, as much as there is to know.
fn factor(ratio: f64) -> String {
    match ratio {
        large if large >= 20.0 => format!("{large:.0}"),
        medium if medium >= 1.0 => format!("{medium:.1}"),
        small => format!("{small:.2}"),
    }
}

/// A whole metric.
pub(super) fn pattern(pattern: &Pattern) -> String {
    let Some(typical) = pattern.typical else {
        return format!(
            "no pattern: it takes {FEWEST} targets and {FEWEST} workloads that have it in {FEWEST} cells each; run more, such as with --suite seed"
        );
    };
    let group = match pattern.group {
        None => "",
        Some(Group::Compiling) => " that compile in the run",
        Some(Group::NotCompiling) => " that do not compile in the run",
    };
    let table = format!(
        "{} targets{group} x {} workloads, {} cells; half of them are within {:.0} % of the pattern",
        pattern.targets,
        pattern.workloads,
        pattern.cells,
        typical * 100.0
    );
    match pattern.anomalies.len() {
        0 => format!("{table}, none breaks it"),
        1 => format!("{table}, 1 breaks it"),
        several => format!("{table}, {several} break it"),
    }
}
