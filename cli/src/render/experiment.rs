//! An experiment: one row per cell, the phases of its start, and footnotes.

use std::fmt::Write;

use wbd_model::{Cell, Experiment, Metric, Summary};

use super::listing::date;
use super::table::{Side, left, plain, right, table};
use super::units::figure;
use super::{ABSENT, NOT_APPLICABLE, never_ran, notes, phases, samples, workload};

/// What is said of a metric in one column.
#[derive(Clone, Copy)]
enum Figure {
    Median,
    /// From the median to the farther end of its interval.
    Spread,
    P99,
}

/// With fewer values the 99th percentile is the largest one, whatever the distribution.
pub(super) const FEWEST_FOR_P99: u64 = 100;

/// The columns, the median of each metric before all else said of it.
const COLUMNS: [(Metric, Figure, &str); 10] = [
    (Metric::Startup, Figure::Median, "startup\np50"),
    (Metric::Startup, Figure::Spread, "\n±"),
    (Metric::Startup, Figure::P99, "\np99"),
    (Metric::StartOnly, Figure::Median, "start only\np50"),
    (Metric::Execution, Figure::Median, "execution\np50"),
    (Metric::Wall, Figure::Median, "wall\np50"),
    (Metric::CpuTime, Figure::Median, "cpu\np50"),
    (Metric::RssPeak, Figure::Median, "rss peak\np50"),
    (Metric::CgroupPeak, Figure::Median, "cgroup peak\np50"),
    (Metric::PageFaults, Figure::Median, "faults\np50"),
];

/// All that is known of an experiment; its runs one by one where the document has them.
pub(crate) fn draw(experiment: &Experiment) -> String {
    let mut text = heading(experiment);
    text += &arguments(&experiment.cells);
    text += &figures(&experiment.cells);
    text += &phases::draw(&experiment.cells);
    text += &samples::draw(&experiment.cells);
    text += &notes::draw(experiment);
    text
}

fn heading(experiment: &Experiment) -> String {
    let mut text = format!(
        "experiment {} ({}), {}, seed {}\n",
        plain(&experiment.experiment),
        experiment.state,
        date(experiment.created),
        experiment.seed
    );
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}\n", notes::machine(&experiment.machine));
    text
}

/// What commands and modules of the caller's own were run with; a workload's arguments go by its size.
fn arguments(cells: &[Cell]) -> String {
    let mut said: Vec<String> = cells
        .iter()
        .filter(|cell| cell.size.is_none() && !cell.args.is_empty())
        .map(|cell| format!("{} {}", plain(&cell.workload), shortened(&cell.args)))
        .collect();
    said.dedup(); // a module has the same on every target
    match said.is_empty() {
        true => String::new(),
        false => format!("ran: {}\n\n", said.join("\n     ")),
    }
}

/// Arguments as a shell would take them, as far as they fit in a line.
fn shortened(args: &[String]) -> String {
    const SHOWN_CHARS: usize = 120;
    let quoted = shlex::try_join(args.iter().map(String::as_str));
    let line = plain(&quoted.unwrap_or_else(|_| args.join(" ")));
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}... (all with --json)", &line[..end]),
        None => line,
    }
}

fn figures(cells: &[Cell]) -> String {
    // Only containers have this one: elsewhere its column would be empty.
    let containers = cells
        .iter()
        .any(|cell| cell.metrics.contains_key(&Metric::StartOnly));
    let columns: Vec<_> = COLUMNS
        .into_iter()
        .filter(|(metric, ..)| containers || *metric != Metric::StartOnly)
        .collect();
    let names: [(String, Side); 3] = [left("target"), left("workload"), right("n")];
    let headings: Vec<_> = names
        .into_iter()
        .chain(columns.iter().map(|(.., heading)| right(heading)))
        .collect();
    let row = |cell: &Cell| {
        let names = [
            cell.target.clone(),
            workload(&cell.workload, cell.size),
            format!("{}/{}", cell.valid, cell.runs),
        ];
        let figures = columns
            .iter()
            .map(|&(metric, which, _)| cell_figure(cell, metric, which));
        names.into_iter().chain(figures).collect()
    };
    let ran = cells.iter().filter(|cell| never_ran(cell).is_none());
    table(&headings, ran.map(row).collect())
}

fn cell_figure(cell: &Cell, metric: Metric, which: Figure) -> String {
    let Some(summary) = cell.metrics.get(&metric) else {
        return if missing(cell, metric) {
            ABSENT
        } else {
            NOT_APPLICABLE
        }
        .to_owned();
    };
    match which {
        // One value has no spread, and is all there is to show.
        Figure::Spread | Figure::P99 if summary.n == 1 => NOT_APPLICABLE.to_owned(),
        Figure::Median => figure(summary.p50, summary.unit),
        Figure::Spread => figure(spread(summary), summary.unit),
        // Of fewer runs it is the largest by definition, and called that.
        Figure::P99 if summary.n < FEWEST_FOR_P99 => format!("max {}", figure(summary.max, summary.unit)),
        Figure::P99 => figure(summary.p99, summary.unit),
    }
}

/// Whether the metric has a meaning for the cell: the footnotes then say why there is no figure.
fn missing(cell: &Cell, metric: Metric) -> bool {
    cell.valid == 0 || cell.unavailable.contains_key(&metric)
}

fn spread(summary: &Summary) -> u64 {
    let [low, high] = summary.ci95.map(|end| end.abs_diff(summary.p50));
    low.max(high)
}

#[cfg(test)]
mod tests {
    use super::super::specimen;
    use super::super::table::tests::assert_aligned;
    use super::*;

    #[test]
    fn the_whole_document_reads_well() {
        let experiment = specimen::experiment();
        let drawn = draw(&experiment);
        println!("{drawn}");
        assert!(drawn.starts_with("experiment 7 (done), 2026-11-22T19:00:00Z, seed 42\n"));
        assert_aligned(&figures(&experiment.cells));
    }

    #[test]
    fn a_cell_without_a_run_that_counts_has_only_dashes() {
        let mut cell = specimen::experiment().cells.remove(0);
        (cell.valid, cell.failed) = (0, 30);
        cell.metrics.clear();
        let drawn = figures(&[cell]);
        let row: Vec<&str> = drawn.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(row[3..], [ABSENT; 9]);
    }

    #[test]
    fn the_median_comes_first_and_a_missing_figure_is_a_dash() {
        let experiment = specimen::experiment();
        let drawn = figures(&experiment.cells);
        let row: Vec<&str> = drawn
            .lines()
            .find(|line| line.starts_with("native"))
            .unwrap()
            .split_whitespace()
            .collect();
        assert_eq!(
            row[..9],
            [
                "native", "empty", "30/30", "612", "us", "14.0", "us", "max", "765"
            ]
        );
        assert!(row.contains(&ABSENT), "{row:?}");
    }

    #[test]
    fn a_command_is_known_by_its_arguments() {
        let mut cell = specimen::experiment().cells.remove(0);
        assert_eq!(arguments(&[cell.clone()]), "", "a workload's go by its size");
        (cell.size, cell.workload) = (None, "sh".to_owned());
        cell.args = ["-c", "sleep 1\u{1b}[2J"].map(str::to_owned).to_vec();
        let drawn = arguments(&[cell.clone(), cell.clone()]);
        assert!(drawn.starts_with("ran: sh -c 'sleep 1"), "{drawn}");
        assert!(
            !drawn.contains('\u{1b}') && drawn.lines().count() == 2,
            "{drawn:?}"
        );
        cell.args = vec!["é".repeat(500)];
        assert!(arguments(&[cell]).chars().count() < 200);
    }

    #[test]
    fn start_only_is_a_column_where_there_are_containers() {
        let mut cells = specimen::experiment().cells;
        assert!(figures(&cells).contains("start only"));
        cells.retain(|cell| cell.target != "docker");
        assert!(!figures(&cells).contains("start only"));
    }

    #[test]
    fn the_spread_is_the_farther_end_of_the_interval() {
        let mut cell = specimen::experiment().cells.remove(0);
        let startup = cell.metrics.get_mut(&Metric::Startup).unwrap();
        (startup.p50, startup.ci95) = (1000, [900, 1300]);
        assert_eq!(cell_figure(&cell, Metric::Startup, Figure::Spread), "300 ns");
    }
}
