//! What the charts show: bars of the tables, waterfalls of the timelines, distributions.

use wbd_model::document::{Distribution, Timeline, TimelineMark};
use wbd_model::report::{Bound, Figure, Group, Row, Startup, StudyFigure};
use wbd_model::request::{Histograms, Timelines};
use wbd_model::{InstantName, Metric, Unit};

use super::chart::{self, Bar};
use super::element::{fold, panel, panels};
use crate::render::hist::{self, Unreadable};
use crate::render::report::words::{median, name, times, with_args};
use crate::render::units::{self, duration};

/// The target that ratios are to.
const NATIVE: &str = "native";
/// The workload whose charts are not folded away.
const SHOWN: &str = "empty";

/// A chart for each workload: a bar for each target, from 0.
pub(super) fn bars(groups: &[Group]) -> String {
    let charts: String = groups.iter().filter_map(of_group).collect();
    let note = "<p class=\"key\">Bars: our medians; dark lines: their 95 % intervals; \
        upright marks: our native median times the study's ratio. Behind each figure: times native.</p>\n";
    note.to_owned() + &panels(&charts)
}

/// None where nothing of it was measured.
fn of_group(group: &Group) -> Option<String> {
    let rows: Vec<Measured<'_>> = group.rows.iter().filter_map(Measured::new).collect();
    let unit = rows.first()?.unit;
    let native = rows
        .iter()
        .find(|row| row.row.target == NATIVE)
        .map(|row| row.numbers[1]);
    let study = |row: &Measured<'_>| study(row.row.compared.study.as_ref(), native);
    let longest = rows
        .iter()
        .map(|row| study(row).unwrap_or(0.0).max(row.numbers[2] as f64))
        .fold(1.0, f64::max);
    let bars: Vec<Bar> = rows.iter().map(|row| row.bar(study(row), longest)).collect();
    let title = name(group);
    let drawn = chart::bars(&title, &bars, ["0", &units::figure(longest as u64, unit)]);
    Some(panel(&title, &drawn))
}

/// A row with a figure: lower end, median and upper end.
struct Measured<'a> {
    row: &'a Row,
    numbers: [u64; 3],
    unit: Unit,
}

impl<'a> Measured<'a> {
    fn new(row: &'a Row) -> Option<Self> {
        let (numbers, unit) = measured(&row.compared.figure)?;
        Some(Self { row, numbers, unit })
    }

    fn bar(&self, study: Option<f64>, longest: f64) -> Bar {
        let [low, middle, high] = self.numbers.map(|number| number as f64 / longest);
        Bar {
            name: self.row.target.clone(),
            span: [0.0, middle],
            interval: Some([low, high]),
            study: study.map(|study| study / longest),
            figure: beside(self.row),
        }
    }
}

/// A figure's lower end, median and upper end.
fn measured(figure: &Figure) -> Option<([u64; 3], Unit)> {
    match figure {
        Figure::Measured { unit, p50, ci95, .. } => Some(([ci95[0], *p50, ci95[1]], *unit)),
        Figure::Absent(_) => None,
    }
}

/// What our figure would be if the study's ratio held here; a bound has no place.
fn study(study: Option<&StudyFigure>, native: Option<u64>) -> Option<f64> {
    let study = study.filter(|study| study.ratio_bound == Bound::Exact)?;
    Some(study.ratio * native? as f64)
}

fn beside(row: &Row) -> String {
    let ratio = row
        .compared
        .ratio
        .map_or_else(String::new, |ratio| format!("  x{}", times(ratio.value)));
    median(&row.compared.figure) + &ratio
}

/// The start of every target. From 10 us up by powers of ten: a container's is thousands of times a program's.
pub(super) fn starts(startup: &Startup) -> String {
    const LEAST_NS: f64 = 1e4;
    let times: Vec<(&str, [u64; 3])> = startup
        .rows
        .iter()
        .filter_map(|row| Some((row.target.as_str(), measured(&row.startup)?.0)))
        .collect();
    let Some(longest) = times.iter().map(|(_, numbers)| numbers[2]).max() else {
        return String::new();
    };
    let most = 10_f64.powf((longest as f64).max(LEAST_NS * 10.0).log10().ceil());
    let place = |ns: u64| ((ns as f64).max(LEAST_NS) / LEAST_NS).ln() / (most / LEAST_NS).ln();
    let bar = |(target, [low, middle, high]): &(&str, [u64; 3])| Bar {
        name: (*target).to_owned(),
        span: [0.0, place(*middle)],
        interval: Some([place(*low), place(*high)]),
        study: None,
        figure: duration(*middle),
    };
    let title = format!(
        "startup of {}, logarithmic",
        with_args(&startup.workload, &startup.args)
    );
    let rows: Vec<Bar> = times.iter().map(bar).collect();
    let drawn = chart::bars(
        &title,
        &rows,
        [&duration(LEAST_NS as u64), &duration(most as u64)],
    );
    panels(&panel(&title, &drawn))
}

/// A waterfall for each cell, workload by workload, up to the guest's first instruction.
pub(super) fn timelines(timelines: &Timelines) -> String {
    by_workload(
        &timelines.cells,
        |timeline| &timeline.workload,
        |timeline| Ok::<_, Unreadable>(waterfall(timeline)),
    )
    .unwrap_or_default()
}

fn waterfall(timeline: &Timeline) -> String {
    let guest = timeline
        .marks
        .iter()
        .position(|mark| mark.name == InstantName::Guest);
    let marks = &timeline.marks[..guest.map_or(timeline.marks.len(), |guest| guest + 1)];
    let (Some(first), Some(last)) = (marks.first(), marks.last()) else {
        return String::new();
    };
    let span = (last.offset_ns.saturating_sub(first.offset_ns)).max(1) as f64;
    let place = |mark: &TimelineMark| mark.offset_ns.saturating_sub(first.offset_ns) as f64 / span;
    let bar = |pair: &[TimelineMark]| Bar {
        name: format!("until {}", pair[1].name),
        span: [place(&pair[0]), place(&pair[1])],
        figure: duration(pair[1].offset_ns.abs_diff(pair[0].offset_ns)),
        ..Bar::default()
    };
    let rows: Vec<Bar> = marks.windows(2).map(bar).collect();
    let title = format!("{}/{}, medians", timeline.target, timeline.workload);
    panel(
        &title,
        &chart::bars(&title, &rows, ["launch", &duration(span as u64)]),
    )
}

/// A histogram for each metric of each cell, workload by workload.
///
/// # Errors
/// Fails where a histogram's text is damaged.
pub(super) fn histograms(histograms: &[(Metric, Histograms)]) -> Result<String, Unreadable> {
    let all: Vec<Distribution> = histograms.iter().flat_map(|(_, of)| of.cells.clone()).collect();
    by_workload(&all, |distribution| &distribution.workload, histogram)
}

fn histogram(distribution: &Distribution) -> Result<String, Unreadable> {
    let values = hist::read(distribution)?;
    let unit = distribution.metric.unit();
    let bins = hist::bins(&values);
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0).max(1) as f64;
    let heights: Vec<f64> = bins.iter().map(|bin| bin.count as f64 / most).collect();
    let title = format!(
        "{}/{} {}, n {}: {}",
        distribution.target,
        distribution.workload,
        distribution.metric,
        values.len(),
        hist::percentiles(&values, unit)
    );
    let axis = [values.min(), values.max()].map(|end| units::figure(end, unit));
    Ok(panel(
        &title,
        &chart::histogram(&title, &heights, [&axis[0], &axis[1]]),
    ))
}

/// Panels folded together by workload.
fn by_workload<T, E>(
    items: &[T],
    workload: impl Fn(&T) -> &String,
    draw: impl Fn(&T) -> Result<String, E>,
) -> Result<String, E> {
    let mut groups: Vec<(&String, String)> = Vec::new();
    for item in items {
        let drawn = draw(item)?;
        match groups.iter_mut().find(|(name, _)| *name == workload(item)) {
            Some((_, panels)) => panels.push_str(&drawn),
            None => groups.push((workload(item), drawn)),
        }
    }
    let alone = groups.len() == 1;
    let folds = groups
        .iter()
        .map(|(name, charts)| fold(name, alone || name.as_str() == SHOWN, &panels(charts)));
    Ok(folds.collect())
}
