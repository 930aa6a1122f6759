//! The study's figures, read from `data/study.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use wbd_model::report::{Bound, StudyFigure, StudyUnit};

/// The workloads in the order of the study's tables.
pub(super) const WORKLOADS: [&str; 6] = [
    "fannkuchredux",
    "fasta",
    "simple",
    "spectralnorm",
    "n_body",
    "binarytree",
];
/// Name of the target that ratios are to.
pub(super) const NATIVE: &str = "native";
/// Name of the target that runs containers.
pub(super) const DOCKER: &str = "docker";

static STUDY: LazyLock<Study> = LazyLock::new(|| {
    // The text is the project's own and is read by a test.
    toml::from_str(include_str!("../../data/study.toml")).expect("data/study.toml is well-formed")
});

/// All of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Study {
    resolution: Resolution,
    x86_64: Platform,
    aarch64: Platform,
}

/// Half of the last digit printed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolution {
    time: f64,
    memory: f64,
}

/// The figures of one machine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Platform {
    /// Which machine.
    pub(super) about: String,
    time: BTreeMap<String, Targets>,
    memory: BTreeMap<String, Targets>,
    container: Option<Container>,
    #[serde(default)]
    startup: Targets,
}

/// The figures beside a container.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Container {
    workload: String,
    time: Targets,
    memory: Targets,
    beside: f64,
}

type Targets = BTreeMap<String, Number>;

/// A figure as the study gives it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Exact(f64),
    More { more_than: f64 },
    Less { less_than: f64 },
}

/// A figure of the study, and the ratios that it may stand for: what it printed was rounded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// As it is shown.
    pub(super) figure: StudyFigure,
    /// From the least ratio to the largest, infinite where only a bound was given.
    pub(super) range: [f64; 2],
}

/// What of the study's two tables is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Times of whole commands.
    Time,
    /// Largest resident sets.
    Memory,
}

impl Table {
    const fn unit(self) -> StudyUnit {
        match self {
            Self::Time => StudyUnit::Seconds,
            Self::Memory => StudyUnit::Megabytes,
        }
    }
}

/// The study's figures of a machine of this architecture.
pub(super) fn platform(arch: &str) -> Option<&'static Platform> {
    match arch {
        "x86_64" => Some(&STUDY.x86_64),
        "aarch64" => Some(&STUDY.aarch64),
        _ => None,
    }
}

fn half_digit(table: Table) -> f64 {
    match table {
        Table::Time => STUDY.resolution.time,
        Table::Memory => STUDY.resolution.memory,
    }
}

impl Platform {
    /// The targets for which the study has a figure of this workload.
    pub(super) fn targets<'s>(
        &'s self,
        table: Table,
        workload: &str,
    ) -> impl Iterator<Item = &'s str> + use<'s> {
        let of_container = self.container(workload).map(|container| container.of(table));
        let tables = self.table(table).get(workload).into_iter().chain(of_container);
        tables.flat_map(|targets| targets.keys().map(String::as_str))
    }

    /// A figure over the native program's: of the table, or where that has none, of the runs beside a container.
    pub(super) fn over_native(&self, table: Table, workload: &str, target: &str) -> Option<Known> {
        let of_table = self.table(table).get(workload);
        let of_container = self.container(workload).map(|container| container.of(table));
        let mut places = of_table.into_iter().chain(of_container);
        places.find_map(|targets| known(table, *targets.get(target)?, *targets.get(NATIVE)?))
    }

    /// The targets whose start the study timed.
    pub(super) fn started(&self) -> impl Iterator<Item = &str> {
        self.startup.keys().map(String::as_str)
    }

    /// The container's time for doing nothing over a target's.
    pub(super) fn container_over(&self, target: &str) -> Option<Known> {
        let [docker, other] = [DOCKER, target].map(|name| self.startup.get(name).copied());
        let (docker, other) = (docker?, other?);
        let known = known(Table::Time, docker, other)?;
        Some(Known {
            figure: StudyFigure {
                value: other.value(),
                bound: other.bound(),
                ..known.figure
            },
            ..known
        })
    }

    /// What a container with this workload takes beside its program, over the native program's memory.
    pub(super) fn beside_container(&self, workload: &str) -> Option<Known> {
        let container = self.container(workload)?;
        known(
            Table::Memory,
            Number::Exact(container.beside),
            *container.memory.get(NATIVE)?,
        )
    }

    fn table(&self, table: Table) -> &BTreeMap<String, Targets> {
        match table {
            Table::Time => &self.time,
            Table::Memory => &self.memory,
        }
    }

    fn container(&self, workload: &str) -> Option<&Container> {
        self.container
            .as_ref()
            .filter(|container| container.workload == workload)
    }
}

impl Container {
    fn of(&self, table: Table) -> &Targets {
        match table {
            Table::Time => &self.time,
            Table::Memory => &self.memory,
        }
    }
}

impl Number {
    const fn value(self) -> f64 {
        match self {
            Self::Exact(value) | Self::More { more_than: value } | Self::Less { less_than: value } => value,
        }
    }

    const fn bound(self) -> Bound {
        match self {
            Self::Exact(_) => Bound::Exact,
            Self::More { .. } => Bound::MoreThan,
            Self::Less { .. } => Bound::LessThan,
        }
    }

    /// From the least to the largest figure that would have been printed so.
    const fn range(self, half_digit: f64) -> [f64; 2] {
        match self {
            Self::Exact(value) => [value - half_digit, value + half_digit],
            Self::More { more_than } => [more_than, f64::INFINITY],
            Self::Less { less_than } => [0.0, less_than],
        }
    }
}

/// One figure over another; none where that could be anything.
fn known(table: Table, over: Number, under: Number) -> Option<Known> {
    let [least, most] = over.range(half_digit(table));
    let [under_least, under_most] = under.range(half_digit(table));
    let range = [least / under_most, most / under_least];
    let figure = StudyFigure {
        value: over.value(),
        bound: over.bound(),
        unit: table.unit(),
        ratio: over.value() / under.value(),
        ratio_bound: if range[1].is_finite() {
            Bound::Exact
        } else {
            Bound::MoreThan
        },
    };
    range[0].is_normal().then_some(Known { figure, range })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_the_study_prints() {
        let x86 = platform("x86_64").unwrap();
        let docker = x86.over_native(Table::Time, "binarytree", "docker").unwrap();
        assert!((docker.figure.ratio - 1.302).abs() < 0.0005, "{docker:?}");
        assert!(docker.range[0] < 1.302 && 1.302 < docker.range[1]);
        // The table comes before the runs beside a container: 6.83 / 6.39, not 7.07 / 6.56.
        let aot = x86
            .over_native(Table::Time, "binarytree", "wasmedge-aot")
            .unwrap();
        assert!((aot.figure.ratio - 1.0689).abs() < 0.0005, "{aot:?}");
    }

    #[test]
    fn a_bound_leaves_the_other_side_open() {
        let x86 = platform("x86_64").unwrap();
        let interpreted = x86.over_native(Table::Time, "n_body", "wasmedge-interp").unwrap();
        assert_eq!(
            [interpreted.figure.bound, interpreted.figure.ratio_bound],
            [Bound::MoreThan; 2]
        );
        assert!(interpreted.range[0] > 26.8 && interpreted.range[1].is_infinite());
        let start = x86.container_over("wasmedge-aot").unwrap();
        assert_eq!((start.figure.value, start.figure.bound), (0.01, Bound::LessThan));
        assert_eq!(start.figure.ratio_bound, Bound::MoreThan);
        assert!((57.0..58.5).contains(&start.range[0]), "{start:?}");
    }

    #[test]
    fn both_machines_have_six_workloads_in_both_tables() {
        for platform in ["x86_64", "aarch64"].map(|arch| platform(arch).unwrap()) {
            assert_eq!((platform.time.len(), platform.memory.len()), (6, 6));
            for workload in WORKLOADS {
                for table in [Table::Time, Table::Memory] {
                    assert!(platform.targets(table, workload).count() >= 6, "{workload}");
                }
            }
        }
        assert!(platform("riscv64").is_none());
    }
}
