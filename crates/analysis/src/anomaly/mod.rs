//! Cells that break the pattern of the rest.
//!
//! A cell's figure is made by its target and its workload: a slow engine is slow throughout, a long workload long
//! everywhere. The pattern of both is found by medians, so that what breaks it does not bend it. A cell breaks it
//! where it is far off in three senses at once: in practice, beside the other cells, and beside its own runs.
//! `docs/STATISTICS.md` says how often that is wrong.

mod chance;
mod partner;
mod polish;
mod table;
#[cfg(test)]
mod tests;
mod words;

use wbd_model::anomaly::{Anomalies, Anomaly, Group, Pattern};
use wbd_model::compare::ComparedCell;
use wbd_model::{Cell, Experiment, Metric, SCHEMA};

use self::table::{FEWEST, Scale, Table, median};

/// The chance, over all cells and metrics together, of a cell named where there is none.
const LEVEL: f64 = 0.05;
/// A cell that is less than this factor off, either way, is no riddle.
const LEAST_FACTOR: f64 = 1.5;
/// Residuals spread at least as far as this share: figures agree better by chance alone.
const LEAST_SPREAD: f64 = 0.02;
/// What is looked at where nothing is named; of times those without interference, if all cells have them.
const USUAL: [Metric; 3] = [Metric::Execution, Metric::Startup, Metric::RssPeak];

/// Looks for cells that break the pattern, metric by metric. The experiment must have its runs.
#[must_use]
pub fn anomalies(experiment: &Experiment, metrics: &[Metric]) -> Anomalies {
    let usual = USUAL.map(|metric| undisturbed(experiment, metric));
    let metrics = if metrics.is_empty() { &usual } else { metrics };
    let looks: Vec<(Metric, Option<Group>)> = metrics.iter().flat_map(|metric| groups(*metric)).collect();
    let level = LEVEL / looks.len() as f64;
    let look = |(metric, group)| pattern(experiment, metric, group, level);
    Anomalies {
        schema: SCHEMA,
        experiment: experiment.experiment.clone(),
        level: LEVEL,
        metrics: looks.into_iter().map(look).collect(),
    }
}

/// The metric without interference where every cell that has the one has the other: a busy machine makes cells strange
/// by chance, and hides those that are.
fn undisturbed(experiment: &Experiment, metric: Metric) -> Metric {
    let has = |cell: &Cell, metric| {
        cell.samples
            .iter()
            .any(|sample| sample.metrics.contains_key(&metric))
    };
    let everywhere = |net: &Metric| {
        let mut cells = experiment.cells.iter();
        cells.all(|cell| has(cell, *net) || !has(cell, metric))
    };
    metric.net().filter(everywhere).unwrap_or(metric)
}

/// The tables in which a metric is looked at.
fn groups(metric: Metric) -> Vec<(Metric, Option<Group>)> {
    match metric {
        Metric::Startup | Metric::NetStartup => [Group::Compiling, Group::NotCompiling]
            .map(|group| (metric, Some(group)))
            .into(),
        _ => vec![(metric, None)],
    }
}

fn pattern(experiment: &Experiment, metric: Metric, group: Option<Group>, level: f64) -> Pattern {
    let table = Table::new(&experiment.cells, metric, group);
    let mut pattern = Pattern {
        metric,
        group,
        targets: table.rows,
        workloads: table.columns,
        cells: table.entries.len(),
        typical: None,
        anomalies: Vec::new(),
        text: String::new(),
    };
    if table.rows >= FEWEST && table.columns >= FEWEST {
        let fit = Fit::of(&table, metric);
        pattern.typical = Some(fit.typical(&table));
        pattern.anomalies = strange(experiment, &table, &fit, level);
        for anomaly in &mut pattern.anomalies {
            anomaly.text = words::anomaly(metric, anomaly);
        }
    }
    pattern.text = words::pattern(&pattern);
    pattern
}

/// Medians of a table, and how far each is from the pattern.
struct Fit {
    scale: Scale,
    medians: Vec<u64>,
    residuals: Vec<f64>,
    /// On the scale of a standard deviation.
    spread: f64,
    /// What no figure falls below: the smallest one there is.
    least: f64,
}

impl Fit {
    fn of(table: &Table, metric: Metric) -> Self {
        let scale = Scale::of(metric);
        let medians: Vec<u64> = table.entries.iter().map(|entry| median(&entry.values)).collect();
        let scaled: Vec<f64> = medians.iter().map(|value| scale.on(*value as f64)).collect();
        let residuals = polish::residuals(table, &scaled);
        let (least, share) = match scale {
            Scale::Product => (0.0, LEAST_SPREAD),
            Scale::Sum => {
                let mut ascending = scaled;
                ascending.sort_by(f64::total_cmp);
                (ascending[0], LEAST_SPREAD * ascending[ascending.len() / 2])
            }
        };
        let spread = polish::spread(table, &residuals).max(share);
        Self {
            scale,
            medians,
            residuals,
            spread,
            least,
        }
    }

    /// How far half of the cells are from the pattern at most, as a share.
    fn typical(&self, table: &Table) -> f64 {
        let typical = polish::typical(table, &self.residuals);
        match self.scale {
            Scale::Product => libm::exp(typical) - 1.0,
            Scale::Sum => {
                let mut medians = self.medians.clone();
                medians.sort_unstable();
                typical / medians[medians.len() / 2] as f64
            }
        }
    }

    /// What the cell would be without its residual.
    fn expected(&self, place: usize) -> f64 {
        let scaled = self.scale.on(self.medians[place] as f64) - self.residuals[place];
        self.scale.off(scaled).max(self.least)
    }

    /// The cell over what it would be, had it this residual.
    fn ratio(&self, place: usize, residual: f64) -> f64 {
        let expected = self.expected(place);
        match self.scale {
            Scale::Product => libm::exp(residual),
            Scale::Sum => {
                (self.medians[place] as f64 - self.residuals[place] + residual).max(self.least) / expected
            }
        }
    }

    fn is_far_in_practice(&self, place: usize) -> bool {
        let ratio = self.ratio(place, self.residuals[place]);
        !(LEAST_FACTOR.recip()..LEAST_FACTOR).contains(&ratio)
    }
}

/// The cells that are far off in every sense, the farthest first.
fn strange(experiment: &Experiment, table: &Table, fit: &Fit, level: f64) -> Vec<Anomaly> {
    let far: Vec<usize> = (0..table.entries.len())
        .filter(|place| fit.is_far_in_practice(*place))
        .collect();
    let largest = chance::largest_residuals(table);
    let chance = |place: usize| chance::chance(&largest, fit.residuals[place].abs() / fit.spread);
    let far: Vec<usize> = far.into_iter().filter(|place| chance(*place) <= level).collect();
    if far.is_empty() {
        return Vec::new();
    }
    let intervals = chance::intervals(table, fit.scale);
    let (mut strange, regular): (Vec<usize>, Vec<usize>) =
        (0..table.entries.len()).partition(|place| far.contains(place) && is_one_sided(intervals[*place]));
    strange.sort_by(|a, b| fit.residuals[*b].abs().total_cmp(&fit.residuals[*a].abs()));
    let anomaly = |place: usize| {
        let found = Found {
            place,
            interval: intervals[place],
            p: chance(place),
        };
        found.told(experiment, table, fit, &regular)
    };
    strange.into_iter().map(anomaly).collect()
}

fn is_one_sided([low, high]: [f64; 2]) -> bool {
    low > 0.0 || high < 0.0
}

/// A cell that was found.
struct Found {
    place: usize,
    interval: [f64; 2],
    p: f64,
}

impl Found {
    fn told(&self, experiment: &Experiment, table: &Table, fit: &Fit, regular: &[usize]) -> Anomaly {
        let entry = &table.entries[self.place];
        let residual = fit.residuals[self.place];
        let partner = partner::of(experiment, table, fit, self.place, regular);
        Anomaly {
            cell: named(experiment, entry.cell),
            value: fit.medians[self.place],
            expected: fit.expected(self.place),
            ratio: fit.ratio(self.place, residual),
            ci95: (entry.values.len() > 1).then(|| self.interval.map(|end| fit.ratio(self.place, end))),
            p: self.p,
            text: String::new(),
            next: partner.map(|partner| {
                let name = &experiment.experiment;
                format!("wbctl explain {name}:{} {name}:{partner}", entry.cell)
            }),
            partner: partner.map(|partner| named(experiment, partner)),
        }
    }
}

fn named(experiment: &Experiment, number: usize) -> ComparedCell {
    let cell = &experiment.cells[number];
    ComparedCell {
        experiment: experiment.experiment.clone(),
        number,
        target: cell.target.clone(),
        workload: cell.workload.clone(),
        args: cell.args.clone(),
        size: cell.size,
    }
}
