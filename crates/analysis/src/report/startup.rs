//! How soon the first instruction runs, target by target, against a container's.
//!
//! The study took the whole life of a program that does nothing for its start. So both are shown: `startup`,
//! which ends with the first instruction, and `wall`, which the study's ratio is held against.

use wbd_model::Metric;
use wbd_model::report::{Ratio, Start, Startup};

use super::cells::{CellGroup, Cells, figure};
use super::compared;
use super::study::{DOCKER, Platform};
use super::tables::not_measured;

/// The workload that does nothing.
pub(super) const EMPTY: &str = "empty";
/// What the study took for one.
const STAND_IN: (&str, &str) = ("binarytree", "0");

/// The workload that is taken for the start: the one that does nothing, or what the study took for it.
pub(super) fn group<'c, 'a>(cells: &'c Cells<'a>) -> Option<&'c CellGroup<'a>> {
    let stand_in = || cells.of(STAND_IN.0).find(|group| group.args == [STAND_IN.1]);
    cells.of(EMPTY).next().or_else(stand_in)
}

/// The start of every target of the experiment, and of those the study started.
pub(super) fn startup(cells: &Cells<'_>, platform: Option<&Platform>) -> Startup {
    let group = group(cells);
    let mut targets = cells.targets.clone();
    for target in platform.into_iter().flat_map(Platform::started) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Startup {
        workload: group.map_or(EMPTY, |group| group.workload).to_owned(),
        args: group.map(|group| group.args.to_vec()).unwrap_or_default(),
        rows: targets
            .into_iter()
            .map(|target| start(group, target, platform))
            .collect(),
    }
}

fn start(group: Option<&CellGroup<'_>>, target: &str, platform: Option<&Platform>) -> Start {
    let cell = group.and_then(|group| group.cell(target));
    let figure = |metric| cell.map_or_else(not_measured, |cell| figure(cell, metric));
    let container_over = |metric| container_over(group?, metric, target);
    Start {
        target: target.to_owned(),
        startup: figure(Metric::Startup),
        startup_ratio: container_over(Metric::Startup),
        wall: compared(
            figure(Metric::Wall),
            container_over(Metric::Wall),
            platform.and_then(|platform| platform.container_over(target)),
        ),
    }
}

/// The container's median over a target's; none for the container itself.
fn container_over(group: &CellGroup<'_>, metric: Metric, target: &str) -> Option<Ratio> {
    group.ratio(metric, DOCKER, target).filter(|_| target != DOCKER)
}
