//! Time and peak memory, workload by workload, as the study laid them out.

use wbd_model::Metric;
use wbd_model::report::{Figure, Group, Row};

use super::cells::{CellGroup, Cells, figure};
use super::compared;
use super::study::{NATIVE, Platform, Table, WORKLOADS};

/// The metric that is what the study's table holds.
const fn metric(table: Table) -> Metric {
    match table {
        Table::Time => Metric::Wall,
        Table::Memory => Metric::RssPeak,
    }
}

/// A group for each workload and arguments of the experiment, and one for each workload of the study besides.
pub(super) fn groups(cells: &Cells<'_>, platform: Option<&Platform>, table: Table) -> Vec<Group> {
    let (of_study, others): (Vec<_>, Vec<_>) = cells
        .groups
        .iter()
        .partition(|group| WORKLOADS.contains(&group.workload));
    let mut groups = Vec::new();
    for workload in WORKLOADS {
        let mut measured = of_study
            .iter()
            .filter(|group| group.workload == workload)
            .peekable();
        if measured.peek().is_none() {
            groups.push(unmeasured(cells, workload, platform, table));
        }
        // What is missing is said of the first, the largest size: targets too slow for it are in the next.
        for (index, measured) in measured.enumerate() {
            groups.push(group(cells, measured, platform, table, index == 0));
        }
    }
    groups.extend(
        others
            .into_iter()
            .map(|other| group(cells, other, platform, table, false)),
    );
    groups
}

fn group(
    cells: &Cells<'_>,
    measured: &CellGroup<'_>,
    platform: Option<&Platform>,
    table: Table,
    complete: bool,
) -> Group {
    let workload = measured.workload;
    let targets = if complete {
        all_targets(cells, workload, platform, table)
    } else {
        let has = |target: &&&str| measured.cell(target).is_some();
        cells.targets.iter().filter(has).copied().collect()
    };
    let elsewhere = |target: &str| cells.of(workload).any(|group| group.cell(target).is_some());
    Group {
        workload: workload.to_owned(),
        args: measured.args.to_vec(),
        size: measured.size,
        rows: targets
            .into_iter()
            .map(|target| row(measured, target, platform, table, elsewhere(target)))
            .collect(),
    }
}

fn row(
    group: &CellGroup<'_>,
    target: &str,
    platform: Option<&Platform>,
    table: Table,
    elsewhere: bool,
) -> Row {
    let metric = metric(table);
    let known = platform.and_then(|platform| platform.over_native(table, group.workload, target));
    let ratio = group.ratio(metric, target, NATIVE).filter(|_| target != NATIVE);
    Row {
        target: target.to_owned(),
        compared: compared(
            match group.cell(target) {
                Some(cell) => figure(cell, metric),
                None if elsewhere => Figure::Absent("not measured with these arguments".to_owned()),
                None => not_measured(),
            },
            ratio,
            known,
        ),
    }
}

/// A workload of the study that the experiment does not have.
fn unmeasured(cells: &Cells<'_>, workload: &str, platform: Option<&Platform>, table: Table) -> Group {
    let row = |target: &str| Row {
        target: target.to_owned(),
        compared: compared(
            not_measured(),
            None,
            platform.and_then(|platform| platform.over_native(table, workload, target)),
        ),
    };
    let targets = all_targets(cells, workload, platform, table);
    Group {
        workload: workload.to_owned(),
        args: Vec::new(),
        size: None,
        rows: targets.into_iter().map(row).collect(),
    }
}

/// The targets of the experiment, and after them those that the study has besides.
fn all_targets<'a>(
    cells: &Cells<'a>,
    workload: &str,
    platform: Option<&'a Platform>,
    table: Table,
) -> Vec<&'a str> {
    let mut targets = cells.targets.clone();
    for target in platform
        .into_iter()
        .flat_map(|platform| platform.targets(table, workload))
    {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

pub(super) fn not_measured() -> Figure {
    Figure::Absent("not measured".to_owned())
}
