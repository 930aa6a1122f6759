//! What the reader of a comparison should know before believing it.

use serde_json::{Map, Value};
use wbd_model::compare::Pair;
use wbd_model::host::Machine;
use wbd_model::{Cell, Experiment, Metric};

use super::pairs::{Of, Side, Two, without_partner};
use crate::drift;

/// A difference of the load average that is told, in hundredths.
const LOAD_CENTI: u32 = 100;
/// Readings of a moment among what the machine's record says of its surroundings: never twice the same, so told only where they
/// disturbed one side alone.
const MOMENTARY: [&str; 5] = [
    "load",
    "stolen time",
    "CPU pressure",
    "memory pressure",
    "disk pressure",
];

pub(super) fn of(a: &Side, b: &Side, paired: &[Two], pairs: &[Pair]) -> Vec<String> {
    let mut warnings: Vec<String> = between(a.experiment, b.experiment).collect();
    warnings.extend(left_out(a, b, paired));
    for (two, pair) in paired.iter().zip(pairs) {
        warnings.extend([&two.a, &two.b].into_iter().filter_map(without_runs));
        warnings.extend(other_work(two));
        warnings.extend(other_caches(two));
        let sides = [&two.a, &two.b];
        for of in &sides[..if two.is_one() { 1 } else { 2 }] {
            warnings.extend(drifts(of, pair));
        }
    }
    let mut said = Vec::new();
    warnings.retain(|warning| {
        let new = !said.contains(warning);
        said.push(warning.clone());
        new
    });
    warnings
}

/// Cells that are compared with nothing.
fn left_out(a: &Side, b: &Side, paired: &[Two]) -> Option<String> {
    let [of_a, of_b] = without_partner(a, b, paired);
    (of_a + of_b > 0).then(|| {
        format!(
            "{of_a} cells of A and {of_b} of B have no cell of the other's target, workload and arguments, and are not compared"
        )
    })
}

/// A cell of which no run counts, and why.
fn without_runs(of: &Of) -> Option<String> {
    let cell = of.cell;
    let why = cell
        .failures
        .keys()
        .next()
        .or_else(|| cell.unavailable.get(&Metric::Wall));
    (cell.valid == 0).then(|| {
        format!(
            "{}/{} has no run that counts ({}): it is compared with nothing",
            cell.target,
            cell.workload,
            why.map_or("no reason was noted", String::as_str)
        )
    })
}

fn between(a: &Experiment, b: &Experiment) -> impl Iterator<Item = String> {
    let apart = (a.experiment != b.experiment).then(|| {
        "A and B were not measured in turns: what changed on the machine in between looks like a difference; the test \
         allows for what is seen of that within each"
            .to_owned()
    });
    let machines = differing(&a.machine, &b.machine);
    let other =
        (!machines.is_empty()).then(|| format!("the machines differ (A, B): {}", machines.join("; ")));
    apart
        .into_iter()
        .chain(other)
        .chain(loads(&a.machine, &b.machine))
        .chain(disturbed_alone(["A", "B"], &a.machine, &b.machine))
        .chain(disturbed_alone(["B", "A"], &b.machine, &a.machine))
}

/// What of the moment disturbed one side and not the other.
fn disturbed_alone([which, other]: [&str; 2], a: &Machine, b: &Machine) -> Option<String> {
    let alone = a.disturbing.iter().filter(|name| !b.disturbing.contains(name));
    let alone: Vec<String> = alone
        .filter(|name| MOMENTARY.contains(&name.as_str()))
        .map(|name| match a.environment.get(name) {
            Some(found) => format!("{name} ({found})"),
            None => name.clone(),
        })
        .collect();
    (!alone.is_empty()).then(|| format!("{which} was disturbed by {}, {other} was not", alone.join(", ")))
}

/// The fields of the machine's record that are not the same, each with both values.
fn differing(a: &Machine, b: &Machine) -> Vec<String> {
    let [a, b] = [a, b].map(fields);
    let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
    let show = |of: &Map<String, Value>, name: &str| match of.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "unknown".to_owned(),
    };
    names
        .filter(|name| a.get(*name) != b.get(*name))
        .map(|name| format!("{name} {} and {}", show(&a, name), show(&b, name)))
        .collect()
}

/// What lasts of a machine's record, its surroundings field by field.
fn fields(machine: &Machine) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(machine) else {
        return Map::new();
    };
    for momentary in ["load_centi", "environment", "disturbing", "entry_bias"] {
        fields.remove(momentary);
    }
    let surroundings = machine.environment.iter();
    let lasting = surroundings.filter(|(name, _)| !MOMENTARY.contains(&name.as_str()));
    fields.extend(lasting.map(|(name, found)| (name.clone(), found.as_str().into())));
    fields
}

fn loads(a: &Machine, b: &Machine) -> Option<String> {
    let load = |machine: &Machine| f64::from(machine.load_centi) / 100.0;
    (a.load_centi.abs_diff(b.load_centi) >= LOAD_CENTI).then(|| {
        format!(
            "the machine's load was {:.2} before A and {:.2} before B",
            load(a),
            load(b)
        )
    })
}

fn other_work(two: &Two) -> Option<String> {
    let work = |cell: &Cell| {
        [std::slice::from_ref(&cell.workload), &cell.args[..]]
            .concat()
            .join(" ")
    };
    (!two.a.does_as(&two.b)).then(|| {
        format!(
            "A and B do different work: `{}` and `{}`",
            work(two.a.cell),
            work(two.b.cell)
        )
    })
}

fn other_caches(two: &Two) -> Option<String> {
    let (a, b) = (two.a.cell, two.b.cell);
    (a.target == b.target && a.cache != b.cache)
        .then(|| format!("A and B found caches differently: {}; {}", a.cache, b.cache))
}

fn drifts(of: &Of, pair: &Pair) -> Vec<String> {
    let name = of.name();
    let metrics = pair.metrics.iter().map(|compared| compared.metric);
    metrics
        .filter_map(|metric| Some(drift::of_metric(&of.cell.samples, metric)?.text(metric)))
        .map(|text| format!("{}:{}/{}: {text}", name.experiment, name.target, name.workload))
        .collect()
}
