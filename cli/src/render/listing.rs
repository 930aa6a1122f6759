//! The experiments there are.

use std::time::{Duration, UNIX_EPOCH};

use wbd_model::ExperimentLine;
use wbd_model::request::ExperimentList;

use super::table::{left, right, table};

/// The last second that a date of four-digit year can say.
const LAST_SECOND: u64 = 253_402_300_799;

/// One line for each experiment.
pub(crate) fn draw(list: &ExperimentList) -> String {
    if list.experiments.is_empty() {
        return "no experiments yet; `wbctl run -t native` makes one\n".to_owned();
    }
    let headings = [
        left("experiment"),
        left("created"),
        left("state"),
        left("targets"),
        left("workloads"),
        right("runs"),
        right("failed"),
    ];
    table(&headings, list.experiments.iter().map(row).collect())
}

fn row(line: &ExperimentLine) -> Vec<String> {
    vec![
        line.experiment.clone(),
        date(line.created),
        line.state.to_string(),
        shortened(&line.targets),
        shortened(&line.workloads),
        line.runs.to_string(),
        line.failed.to_string(),
    ]
}

/// Three names and how many more.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Seconds since the Unix epoch as a date, UTC.
pub(super) fn date(seconds: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_SECOND));
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use wbd_model::document::State;

    use super::super::table::tests::assert_aligned;
    use super::*;

    #[test]
    fn one_line_for_each_experiment() {
        let line = |name: &str, targets: &[&str]| ExperimentLine {
            experiment: name.into(),
            created: 1_795_374_000,
            state: State::Done,
            targets: targets.iter().map(|&target| target.into()).collect(),
            workloads: vec!["empty".into()],
            runs: 300,
            failed: 0,
        };
        let many = ["native", "docker", "wasmi", "wasm3", "wamr-interp"];
        let drawn = draw(&ExperimentList {
            experiments: vec![line("8", &many), line("7", &["native"])],
        });
        println!("{drawn}");
        assert_aligned(&drawn);
        assert!(drawn.contains("native, docker, wasmi and 2 more"));
        assert!(drawn.contains("2026-11-22T19:00:00Z"));
    }

    #[test]
    fn an_empty_list_says_how_to_begin() {
        assert!(draw(&ExperimentList { experiments: vec![] }).contains("wbctl run"));
    }

    #[test]
    fn no_date_is_too_late() {
        assert_eq!(date(u64::MAX), "9999-12-31T23:59:59Z");
    }
}
