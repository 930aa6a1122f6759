//! The runs of each cell, one per line, in the order in which they were made.

use wbd_model::{Cell, Exit, Metric, Sample};

use super::table::{left, plain, right, table};
use super::units::figure;
use super::{ABSENT, workload};

/// The metrics shown of a run: what differs from run to run, and what explains it.
const METRICS: [(Metric, &str); 10] = [
    (Metric::Startup, "startup"),
    (Metric::Execution, "execution"),
    (Metric::Wall, "wall"),
    (Metric::CpuTime, "cpu"),
    (Metric::RunqueueWait, "run queue"),
    (Metric::OffCpu, "off cpu"),
    (Metric::RssPeak, "rss peak"),
    (Metric::PageFaults, "faults"),
    (Metric::ContextSwitches, "switches"),
    (Metric::Migrations, "migrations"),
];

/// A table for each cell that has samples, then what there is to say of single runs.
pub(crate) fn draw(cells: &[Cell]) -> String {
    cells
        .iter()
        .filter(|cell| !cell.samples.is_empty())
        .map(cell_runs)
        .collect()
}

fn cell_runs(cell: &Cell) -> String {
    let mut samples: Vec<&Sample> = cell.samples.iter().collect();
    samples.sort_by_key(|sample| sample.order);
    let names = [right("order"), right("run"), left("counts"), left("exit")];
    let headings: Vec<_> = names
        .into_iter()
        .chain(METRICS.map(|(_, heading)| right(heading)))
        .collect();
    let rows = samples.iter().map(|sample| row(sample)).collect();
    format!(
        "\nruns of {}/{}\n{}{}",
        plain(&cell.target),
        plain(&workload(&cell.workload, cell.size)),
        table(&headings, rows),
        samples.into_iter().map(notes).collect::<String>()
    )
}

fn row(sample: &Sample) -> Vec<String> {
    let counts = if sample.valid { "yes" } else { "no" };
    let names = [
        sample.order.to_string(),
        sample.run.to_string(),
        counts.to_owned(),
        ending(&sample.exit),
    ];
    let figures = METRICS.map(|(metric, _)| match sample.metrics.get(&metric) {
        Some(&value) => figure(value, metric.unit()),
        None => ABSENT.to_owned(),
    });
    names.into_iter().chain(figures).collect()
}

fn ending(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::NotStarted(_) => "not started".to_owned(),
    }
}

fn notes(sample: &Sample) -> String {
    let reason = match &sample.exit {
        Exit::NotStarted(why) => Some(why),
        Exit::Code(_) | Exit::Signal(_) => None,
    };
    let notes = reason.into_iter().chain(&sample.notes);
    notes
        .map(|note| format!("run {}: {}\n", sample.run, plain(note)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::specimen;
    use super::super::table::tests::assert_aligned;
    use super::*;

    #[test]
    fn runs_stand_in_the_order_in_which_they_were_made() {
        let mut cell = specimen::experiment().cells.remove(0);
        cell.samples = specimen::samples();
        let drawn = draw(&[cell]);
        println!("{drawn}");
        let (tables, notes) = drawn.split_once("run 2: ").unwrap();
        assert_aligned(&tables.lines().skip(2).collect::<Vec<_>>().join("\n"));
        let orders: Vec<&str> = tables
            .lines()
            .skip(4)
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(orders, ["0", "3", "5"]);
        assert!(notes.contains("no such image"), "{notes}");
    }
}
