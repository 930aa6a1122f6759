//! Distributions: percentiles from the HDR histogram, and bars over bins of equal width on a logarithmic axis,
//! which shows the long tail of a start-up time and its bulk in one drawing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use wbd_model::document::Distribution;
use wbd_model::request::Histograms;
use wbd_model::{Cell, Experiment, Metric, Unit};

use super::table::plain;
use super::units::figure;
use super::workload;

const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
const MOST_BINS: f64 = 16.0;
/// A bin is at least this much wider than its lower end, or the labels of neighbours would read the same.
const LEAST_BIN_RATIO: f64 = 1.02;
/// Width of the longest bar in columns.
const BAR_COLUMNS: usize = 50;
/// A bar's end, in eighths of a column.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A histogram's text cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the histogram of {cell} cannot be read: {why}; are wbctl and the daemon of one version?")]
pub(crate) struct Unreadable {
    pub(super) cell: String,
    pub(super) why: String,
}

/// One bin of a drawing: its lower end, and how many values it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bin {
    pub(crate) from: f64,
    pub(crate) count: u64,
}

/// A drawing for each cell.
///
/// # Errors
/// Fails where a histogram's text is damaged.
pub(crate) fn draw(histograms: &Histograms) -> Result<String, Unreadable> {
    if histograms.cells.is_empty() {
        return Ok(format!(
            "no cell of {} has this metric\n",
            plain(&histograms.experiment)
        ));
    }
    let drawings: Vec<String> = histograms.cells.iter().map(cell).collect::<Result<_, _>>()?;
    Ok(drawings.join("\n"))
}

/// Why cells lack a metric, where a reason is known.
pub(crate) fn why_absent(experiment: &Experiment, metric: Metric) -> String {
    let reason = |cell: &Cell| {
        let why = cell.unavailable.get(&metric)?;
        let name = workload(&cell.workload, cell.size);
        Some(format!(
            "{}/{}: {}\n",
            plain(&cell.target),
            plain(&name),
            plain(why)
        ))
    };
    experiment.cells.iter().filter_map(reason).collect()
}

/// The values as they were, then without interference, where that is known.
fn cell(distribution: &Distribution) -> Result<String, Unreadable> {
    let mut text = drawing(distribution, &distribution.metric.to_string())?;
    if let Some(net) = without_interference(distribution) {
        let what = format!("{} ({} without interference)", net.metric, distribution.metric);
        text += &drawing(&net, &what)?;
    }
    Ok(text)
}

/// The distribution of the same metric's values without interference.
fn without_interference(distribution: &Distribution) -> Option<Distribution> {
    Some(Distribution {
        metric: distribution.metric.net()?,
        hdr: distribution.net_hdr.clone()?,
        net_hdr: None,
        ..distribution.clone()
    })
}

fn drawing(distribution: &Distribution, what: &str) -> Result<String, Unreadable> {
    let histogram = read(distribution)?;
    let unit = distribution.metric.unit();
    let bins = bins(&histogram);
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    let bars: String = bins.iter().map(|bin| line(bin, most, unit)).collect();
    Ok(format!(
        "{}/{}  {what}  n {}\n{}\n{bars}",
        plain(&distribution.target),
        plain(&workload(&distribution.workload, distribution.size)),
        histogram.len(),
        percentiles(&histogram, unit)
    ))
}

/// The histogram of a cell.
///
/// # Errors
/// Fails where its text is damaged.
pub(crate) fn read(distribution: &Distribution) -> Result<Histogram<u64>, Unreadable> {
    let unreadable = |why: String| Unreadable {
        cell: format!(
            "{}/{}",
            distribution.target,
            workload(&distribution.workload, distribution.size)
        ),
        why,
    };
    let bytes = STANDARD
        .decode(&distribution.hdr)
        .map_err(|error| unreadable(error.to_string()))?;
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| unreadable(error.to_string()))
}

/// The percentiles in one line.
pub(crate) fn percentiles(histogram: &Histogram<u64>, unit: Unit) -> String {
    let at = |(name, quantile)| format!("{name} {}", figure(histogram.value_at_quantile(quantile), unit));
    let mut parts = PERCENTILES.map(at).to_vec();
    parts.push(format!("max {}", figure(histogram.max(), unit)));
    parts.join("  ")
}

/// Bins of equal width on a logarithmic axis.
pub(crate) fn bins(histogram: &Histogram<u64>) -> Vec<Bin> {
    // A logarithmic axis has no place for 0: such values go into the first bin.
    let (low, high) = (histogram.min().max(1) as f64, histogram.max().max(1) as f64);
    let width = (high / low).ln();
    let number = (width / LEAST_BIN_RATIO.ln()).clamp(1.0, MOST_BINS).floor();
    let mut bins: Vec<Bin> = (0..number as u32)
        .map(|index| Bin {
            from: low * (width * f64::from(index) / number).exp(),
            count: 0,
        })
        .collect();
    for step in histogram.iter_recorded() {
        let place =
            (step.value_iterated_to().max(1) as f64 / low).ln() / width.max(f64::MIN_POSITIVE) * number;
        let last = bins.len() - 1;
        bins[(place as usize).min(last)].count += step.count_at_value();
    }
    bins
}

fn line(bin: &Bin, most: u64, unit: Unit) -> String {
    let label = figure(bin.from as u64, unit);
    let text = format!("{label:>10} │{} {}", bar(bin.count, most), bin.count);
    text + "\n"
}

/// At least an eighth of a column for what is not nothing.
fn bar(count: u64, most: u64) -> String {
    if count == 0 {
        return String::new();
    }
    let eighths = (u128::from(count) * (BAR_COLUMNS * 8) as u128 / u128::from(most)).max(1) as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wbd_analysis::histogram;

    use super::*;
    use crate::render::specimen;

    #[test]
    fn a_metric_that_is_absent_is_explained() {
        let why = why_absent(&specimen::experiment(), Metric::Cycles);
        assert!(
            why.contains("native/empty: this machine has no hardware"),
            "{why}"
        );
        assert_eq!(why_absent(&specimen::experiment(), Metric::Startup), "");
    }

    fn distribution(values: &[u64]) -> Distribution {
        Distribution {
            target: "native".into(),
            workload: "empty".into(),
            size: None,
            metric: Metric::Startup,
            hdr: histogram::encode(&histogram::from_values(values).unwrap()).unwrap(),
            net_hdr: None,
        }
    }

    fn drawn(values: &[u64]) -> String {
        cell(&distribution(values)).unwrap()
    }

    #[test]
    fn a_long_tail_and_its_bulk_show_together() {
        let values: Vec<u64> = (0..1_000_u64)
            .map(|i| 600_000 + i * i / 10 + if i > 997 { 9_000_000 } else { 0 })
            .collect();
        let text = drawn(&values);
        println!("{text}");
        assert!(text.contains("n 1000"));
        assert!(text.contains("max 9.7"));
        assert!(
            text.lines().last().unwrap().contains("▏ 2"),
            "the tail is visible"
        );
    }

    #[test]
    fn equal_values_are_one_bar() {
        let text = drawn(&[5, 5, 5]);
        println!("{text}");
        assert_eq!(text.lines().count(), 3);
        assert!(text.ends_with("█ 3\n"));
    }

    #[test]
    fn what_interference_added_shows_beside_what_was_the_runs_own() {
        let both = Distribution {
            net_hdr: Some(distribution(&[4, 5, 5]).hdr),
            ..distribution(&[5, 50, 500])
        };
        let text = cell(&both).unwrap();
        println!("{text}");
        let (with, without) = text
            .split_once("net_startup (startup without interference)")
            .unwrap();
        assert!(with.contains("max 500 ns") && without.contains("max 5 ns"));
    }

    #[test]
    fn zeros_have_a_place() {
        assert!(drawn(&[0, 0, 8]).contains("n 3"));
    }

    #[test]
    fn a_damaged_histogram_is_named() {
        for hdr in ["", "?", "AAAA"] {
            let damaged = Distribution {
                hdr: hdr.into(),
                ..distribution(&[1])
            };
            let message = cell(&damaged).unwrap_err().to_string();
            assert!(message.contains("native/empty"), "{message}");
        }
    }

    #[test]
    fn no_cell_no_drawing() {
        let none = Histograms {
            experiment: "7".into(),
            cells: vec![],
        };
        assert!(draw(&none).unwrap().contains("no cell of 7"));
    }

    proptest! {
        #[test]
        fn every_value_is_in_one_bin(values in prop::collection::vec(any::<u64>(), 1..200)) {
            let bins = bins(&histogram::from_values(&values).unwrap());
            prop_assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), values.len() as u64);
            prop_assert!(bins.is_sorted_by(|a, b| a.from < b.from));
            prop_assert!(bins.len() <= MOST_BINS as usize);
        }

        #[test]
        fn bars_are_as_long_as_their_counts(count in 0_u64..1000, more in 0_u64..1000) {
            let most = (count + more).max(1);
            let columns = bar(count, most).chars().count();
            prop_assert!(columns <= BAR_COLUMNS);
            prop_assert_eq!(columns == 0, count == 0);
            prop_assert!(columns.abs_diff((count as usize * BAR_COLUMNS).div_ceil(most as usize)) <= 1);
        }
    }
}
