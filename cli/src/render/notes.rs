//! What the reader must know beside the figures: the machine, failures, warnings, cache states, and what could
//! not be measured. Each thing is said once, with the cells it holds for.

use std::collections::BTreeMap;

use wbd_model::host::{EntryBias, Machine};
use wbd_model::{Cell, Experiment, Metric, Unit};

use super::experiment::FEWEST_FOR_P99;
use super::table::plain;
use super::units::figure;
use super::{never_ran, workload};

const LEGEND: &str = "p50: median; ±: from it to the farther end of its 95 % interval (bootstrap); n: runs that count / asked for; max: the largest, in place of the p99 of fewer than 100 runs";

/// Remarks of a cell that are told; documents have them all.
const MOST_REMARKS: usize = 5;

/// The machine on one line.
pub(crate) fn machine(machine: &Machine) -> String {
    let mut parts = vec![
        format!("Linux {} {}", machine.kernel, machine.arch),
        format!("{} x {}", machine.cpus, machine.cpu),
        figure(machine.memory_bytes, Unit::Bytes),
        format!("cgroups {}", machine.cgroups),
    ];
    parts.extend(
        machine
            .governor
            .as_ref()
            .map(|governor| format!("governor {governor}")),
    );
    parts.extend(
        machine
            .hypervisor
            .as_ref()
            .map(|hypervisor| format!("guest of {hypervisor}")),
    );
    parts.push(format!(
        "load {}.{:02}",
        machine.load_centi / 100,
        machine.load_centi % 100
    ));
    parts.push(format!("wbd {}", machine.wbd));
    if !machine.disturbing.is_empty() {
        parts.push(format!("disturbed by {}", machine.disturbing.join(", ")));
    }
    plain(&parts.join(", "))
}

/// The footnotes of an experiment.
pub(crate) fn draw(experiment: &Experiment) -> String {
    let cells = &experiment.cells;
    let mut lines = vec![String::new(), LEGEND.to_owned()];
    lines.extend(failures(cells));
    lines.extend(remarks(cells));
    lines.extend(cells.iter().filter_map(waiting));
    lines.extend(cells.iter().filter_map(outliers));
    lines.extend(experiment.machine.entry_bias.map(bias));
    lines.extend(
        experiment
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}")),
    );
    lines.extend(cache_states(cells));
    lines.extend(not_run(cells));
    lines.extend(unavailable(cells));
    lines.iter().map(|line| plain(line) + "\n").collect()
}

fn failures(cells: &[Cell]) -> impl Iterator<Item = String> {
    cells.iter().filter(|cell| cell.failed > 0).map(|cell| {
        let reasons: Vec<String> = cell
            .failures
            .iter()
            .map(|(reason, count)| format!("{reason} ({count} x)"))
            .collect();
        format!(
            "failed: {}: {} of {} runs made do not count: {}",
            name(cell),
            cell.failed,
            u64::from(cell.failed) + u64::from(cell.valid),
            reasons.join("; ")
        )
    })
}

/// The commonest remarks of each cell: one that carries a figure may differ from run to run.
fn remarks(cells: &[Cell]) -> impl Iterator<Item = String> {
    cells.iter().flat_map(|cell| {
        let mut remarks: Vec<(&String, &u32)> = cell.remarks.iter().collect();
        remarks.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let more = remarks.len().saturating_sub(MOST_REMARKS);
        let told = remarks.into_iter().take(MOST_REMARKS).map(|(remark, count)| {
            format!("noted: {}: {remark} ({count} of {} runs)", name(cell), cell.valid)
        });
        let rest = (more > 0).then(|| format!("noted: {}: and {more} more", name(cell)));
        told.chain(rest).collect::<Vec<_>>()
    })
}

/// What no figure is corrected by, and a reader of microseconds may want to.
fn bias(bias: EntryBias) -> String {
    format!(
        "early: the first instruction of native programs and containers is seen {} before it runs (98 % of launches: at most \
         {}); startup is too short by that",
        figure(bias.early_ns, Unit::Ns),
        figure(bias.p98_ns, Unit::Ns),
    )
}

/// How much of a cell's times was waiting for a CPU, where it is a hundredth or more of either.
fn waiting(cell: &Cell) -> Option<String> {
    let of = |whole: Metric, part: Metric| {
        let [time, part] = [cell.metrics.get(&whole)?, cell.metrics.get(&part)?];
        let counts = part.mean * 100.0 >= time.mean && part.mean > 0.0;
        counts.then(|| {
            let percent = part.mean / time.mean * 100.0;
            let (worst, at) = if part.n < FEWEST_FOR_P99 {
                (part.max, "at most")
            } else {
                (part.p99, "at p99")
            };
            let [wait, worst] = [part.mean as u64, worst].map(|ns| figure(ns, Unit::Ns));
            format!("{percent:.0} % of {whole} ({wait} in the mean, {worst} {at})")
        })
    };
    let startup = of(Metric::Startup, Metric::StartupWait);
    let execution = of(Metric::Execution, Metric::ExecutionWait);
    let parts: Vec<String> = startup.into_iter().chain(execution).collect();
    (!parts.is_empty()).then(|| format!("waiting for a CPU: {}: {}", name(cell), parts.join(", ")))
}

/// How many runs are far slower than the rest, and why, the commonest cause first.
fn outliers(cell: &Cell) -> Option<String> {
    let mut causes: Vec<_> = cell.outlier_causes.iter().collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let total: u32 = cell.outlier_causes.values().sum();
    let told: Vec<String> = causes
        .iter()
        .map(|(cause, count)| format!("{count} {cause}"))
        .collect();
    (total > 0).then(|| {
        format!(
            "outliers: {}: {total} of {} runs: {}",
            name(cell),
            cell.valid,
            told.join(", ")
        )
    })
}

fn cache_states(cells: &[Cell]) -> impl Iterator<Item = String> {
    let states = cells
        .iter()
        .filter(|cell| !cell.cache.is_empty() && never_ran(cell).is_none())
        .map(|cell| (cell.cache.clone(), name(cell)));
    said_once(states)
        .into_iter()
        .map(|(state, of)| format!("cache: {state}{}", which(&of, cells)))
}

/// These have no row in the table: it would be one of dashes.
fn not_run(cells: &[Cell]) -> impl Iterator<Item = String> {
    let reasons = cells
        .iter()
        .filter_map(|cell| Some((never_ran(cell)?.to_owned(), name(cell))));
    said_once(reasons)
        .into_iter()
        .map(|(why, of)| format!("not run: {}: {why}", in_short(&of, cells).join(", ")))
}

fn unavailable(cells: &[Cell]) -> impl Iterator<Item = String> {
    let mut metrics: BTreeMap<(&String, String), Vec<Metric>> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| never_ran(cell).is_none()) {
        for (metric, reason) in &cell.unavailable {
            metrics.entry((reason, name(cell))).or_default().push(*metric);
        }
    }
    let lines = metrics.into_iter().map(|((reason, cell), metrics)| {
        // A part is not there where the whole is not.
        let is_part = |metric: &Metric| {
            let whole = metric.as_str().strip_suffix("_user");
            whole.is_some_and(|whole| metrics.iter().any(|other| other.as_str() == whole))
        };
        let told = metrics.iter().filter(|metric| !is_part(metric));
        let metrics: Vec<&str> = told.copied().map(Metric::as_str).collect();
        (format!("{}: {reason}", metrics.join(", ")), cell)
    });
    said_once(lines)
        .into_iter()
        .map(|(text, of)| format!("unavailable: {text}{}", which(&of, cells)))
}

/// Each text once, in the order of its first appearance, with the cells it is said of.
fn said_once(lines: impl Iterator<Item = (String, String)>) -> Vec<(String, Vec<String>)> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for (text, cell) in lines {
        match said.iter_mut().find(|(known, _)| *known == text) {
            Some((_, cells)) => cells.push(cell),
            None => said.push((text, vec![cell])),
        }
    }
    said
}

/// The cells something is said of, unless they are all that ran.
fn which(cells: &[String], all: &[Cell]) -> String {
    let ran = all.iter().filter(|cell| never_ran(cell).is_none());
    if cells.len() == ran.count() {
        return String::new();
    }
    format!(" ({})", in_short(cells, all).join(", "))
}

/// The cells by name, or by their target alone where all of its cells are among them, and it has several.
fn in_short(cells: &[String], all: &[Cell]) -> Vec<String> {
    let mut short: Vec<String> = Vec::new();
    for cell in all.iter().filter(|cell| cells.contains(&name(cell))) {
        let of_target: Vec<String> = all
            .iter()
            .filter(|other| other.target == cell.target)
            .map(name)
            .collect();
        let whole = of_target.len() > 1 && of_target.iter().all(|name| cells.contains(name));
        let said = if whole { cell.target.clone() } else { name(cell) };
        if !short.contains(&said) {
            short.push(said);
        }
    }
    short
}

fn name(cell: &Cell) -> String {
    format!("{}/{}", cell.target, workload(&cell.workload, cell.size))
}

#[cfg(test)]
mod tests {
    use wbd_model::outlier::Cause;

    use super::super::specimen;
    use super::*;

    #[test]
    fn a_reason_that_holds_for_all_cells_is_said_once_and_names_none() {
        let drawn = draw(&specimen::experiment());
        let said = "unavailable: cycles, instructions: this machine has no hardware performance counters\n";
        assert_eq!(drawn.matches(said).count(), 1, "{drawn}");
        assert_eq!(
            drawn.matches("hardware performance counters").count(),
            1,
            "{drawn}"
        );
    }

    #[test]
    fn a_reason_that_holds_for_some_cells_names_them() {
        let drawn = draw(&specimen::experiment());
        assert!(
            drawn.contains("cache: page cache warm, code compiled now (wasmtime-jit/fasta)\n"),
            "{drawn}"
        );
        assert!(
            drawn.contains("cache: page cache warm (native/empty, docker/empty)\n"),
            "{drawn}"
        );
    }

    #[test]
    fn a_target_all_of_whose_cells_are_meant_is_named_once() {
        let cell = |target: &str, workload: &str| Cell {
            target: target.to_owned(),
            workload: workload.to_owned(),
            ..specimen::experiment().cells[0].clone()
        };
        let all = [
            cell("native", "a"),
            cell("native", "b"),
            cell("docker", "a"),
            cell("docker", "b"),
        ];
        let cells = ["native/a", "native/b", "docker/b"].map(String::from);
        assert_eq!(in_short(&cells, &all), ["native", "docker/b"]);
    }

    #[test]
    fn a_cell_that_could_not_be_run_is_told_once_with_its_reason_and_nothing_else() {
        let mut experiment = specimen::experiment();
        let before = draw(&experiment);
        let gone = Cell {
            target: "wasmi".to_owned(),
            valid: 0,
            failed: 0,
            unavailable: [Metric::Startup, Metric::CpuTime]
                .map(|metric| (metric, "no runner; build it".to_owned()))
                .into(),
            ..experiment.cells[0].clone()
        };
        experiment.cells.push(gone);
        let drawn = draw(&experiment);
        let said = "not run: wasmi/empty: no runner; build it\n";
        assert_eq!(drawn.replace(said, ""), before, "{drawn}");
        assert!(drawn.contains(said));
    }

    #[test]
    fn the_commonest_remarks_are_told_and_the_rest_counted() {
        let mut experiment = specimen::experiment();
        experiment.cells[0].remarks = (1..=9)
            .map(|count| (format!("scaled from {count} %"), count))
            .collect();
        let drawn = draw(&experiment);
        assert!(
            drawn.contains("scaled from 9 % (9 of") && drawn.contains("and 4 more"),
            "{drawn}"
        );
        assert!(!drawn.contains("scaled from 4 %"), "{drawn}");
    }

    #[test]
    fn waiting_for_a_cpu_and_outliers_are_told_with_their_cell() {
        let mut experiment = specimen::experiment();
        assert!(!draw(&experiment).contains("outliers:") && !draw(&experiment).contains("waiting"));
        let cell = &mut experiment.cells[0];
        cell.outlier_causes = [(Cause::Unexplained, 1), (Cause::WaitedForCpu, 5)].into();
        let wait = wbd_model::Summary {
            n: 100,
            mean: 61_812.0,
            ..cell.metrics[&Metric::Startup].clone()
        };
        cell.metrics.insert(Metric::StartupWait, wait);
        let drawn = draw(&experiment);
        for said in [
            "outliers: native/empty: 6 of 30 runs: 5 waited for a CPU, 1 unexplained\n",
            "waiting for a CPU: native/empty: 10 % of startup (61.8 us in the mean, 690 us at p99)\n",
        ] {
            assert!(drawn.contains(said), "{drawn}");
        }
        let few = experiment.cells[0].metrics.get_mut(&Metric::StartupWait);
        few.expect("just inserted").n = 99;
        assert!(
            draw(&experiment).contains("765 us at most"),
            "a p99 of so few is the largest"
        );
    }

    #[test]
    fn a_failed_run_is_counted_with_its_cell_and_reason() {
        let drawn = draw(&specimen::experiment());
        let said = "failed: wasmtime-jit/fasta: 2 of 30 runs made do not count: exited with 134 (1 x); lost 3 events (1 x)";
        assert!(drawn.contains(said), "{drawn}");
    }
}
