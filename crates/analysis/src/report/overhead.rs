//! What a container costs beside its program: memory and CPU time of each process that takes part, apart.

use std::collections::BTreeMap;

use wbd_model::report::{Figure, Overhead, Part, Ratio};
use wbd_model::{Cell, Metric, Sample};

use super::cells::{CellGroup, Cells, figure, figure_of, values};
use super::compared;
use super::study::{DOCKER, NATIVE, Platform};
use crate::ratio::ratio_of_medians;

/// The parts, each with what it is measured against: the native program's peak memory or CPU time.
const PARTS: [(&str, Metric, Metric); 8] = [
    ("memory of the process", Metric::RssPeak, Metric::RssPeak),
    (
        "memory of the rest of its cgroup",
        Metric::ContainerRest,
        Metric::RssPeak,
    ),
    ("memory of the shim", Metric::ShimRss, Metric::RssPeak),
    (
        "growth of dockerd and containerd",
        Metric::EngineGrowth,
        Metric::RssPeak,
    ),
    ("CPU time of the shim", Metric::ShimCpu, Metric::CpuTime),
    ("CPU time of runc", Metric::RuncCpu, Metric::CpuTime),
    ("CPU time of containerd", Metric::ContainerdCpu, Metric::CpuTime),
    ("CPU time of dockerd", Metric::DockerdCpu, Metric::CpuTime),
];
/// The parts that lie beside the process and are memory.
const BESIDE: [Metric; 3] = [Metric::ContainerRest, Metric::ShimRss, Metric::EngineGrowth];

/// The cost of each container that was measured.
pub(super) fn overhead(cells: &Cells<'_>, platform: Option<&Platform>) -> Vec<Overhead> {
    let of = |group: &CellGroup<'_>| {
        let container = group.cell(DOCKER)?;
        let native = group.cell(NATIVE);
        let mut parts: Vec<Part> = PARTS.iter().map(|&part| one(container, native, part)).collect();
        parts.insert(4, beside(group.workload, container, native, platform));
        Some(Overhead {
            workload: group.workload.to_owned(),
            args: group.args.to_vec(),
            parts,
        })
    };
    cells.groups.iter().filter_map(of).collect()
}

fn one(container: &Cell, native: Option<&Cell>, (part, metric, against): (&str, Metric, Metric)) -> Part {
    Part {
        part: part.to_owned(),
        metric: Some(metric),
        compared: compared(
            figure(container, metric),
            over(&values(container, metric), native, against),
            None,
        ),
    }
}

/// All memory beside the process, added up run by run: medians of sums are not sums of medians.
fn beside(workload: &str, container: &Cell, native: Option<&Cell>, platform: Option<&Platform>) -> Part {
    let sum = |sample: &Sample| sum(&sample.metrics);
    let valid = container.samples.iter().filter(|sample| sample.valid);
    let sums: Vec<u64> = valid.filter_map(sum).collect();
    Part {
        part: "all memory beside the process".to_owned(),
        metric: None,
        compared: compared(
            figure_of(Metric::ContainerRest, &sums)
                .unwrap_or_else(|| Figure::Absent("no run has all its parts".to_owned())),
            over(&sums, native, Metric::RssPeak),
            platform.and_then(|platform| platform.beside_container(workload)),
        ),
    }
}

fn sum(metrics: &BTreeMap<Metric, u64>) -> Option<u64> {
    BESIDE.iter().map(|metric| metrics.get(metric).copied()).sum()
}

fn over(values: &[u64], native: Option<&Cell>, against: Metric) -> Option<Ratio> {
    ratio_of_medians(values, &self::values(native?, against))
}
