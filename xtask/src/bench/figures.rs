//! How long a program takes, as each tool tells it: the median and two spreads.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What one tool tells of many runs of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    /// Nanoseconds in the median; none where a tool tells the mean alone.
    pub(super) median: Option<f64>,
    /// Nanoseconds in the mean.
    pub(super) mean: f64,
    /// From the first quartile to the third, as a share of the median; none where a tool does not tell it.
    pub(super) quartiles: Option<f64>,
    /// Standard deviation as a share of the mean: the spread that hyperfine and perf stat print.
    pub(super) deviation: f64,
}

impl Figures {
    /// Of values in nanoseconds.
    pub(super) fn of(mut values: Vec<f64>) -> Result<Self> {
        ensure!(!values.is_empty(), "no run counts");
        values.sort_by(f64::total_cmp);
        let at = |quarters: usize| values[(values.len() * quarters / 4).min(values.len() - 1)];
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        Ok(Self {
            median: Some(at(2)),
            mean,
            quartiles: Some((at(3) - at(1)) / at(2)),
            deviation: variance.sqrt() / mean,
        })
    }
}

/// Wall times of `runs` runs by hyperfine, nanoseconds.
pub(super) fn hyperfine(command: &[String], runs: u32, scratch: &Path) -> Result<Vec<f64>> {
    let told = scratch.join("hyperfine.json");
    let mut hyperfine = Command::new("hyperfine");
    hyperfine.args([
        "-N",
        "--warmup",
        "1",
        "--runs",
        &runs.to_string(),
        "--export-json",
    ]);
    super::succeed(hyperfine.arg(&told).arg(command.join(" ")))?;
    let text = fs::read_to_string(&told).with_context(|| format!("cannot read {}", told.display()))?;
    let document: Value = serde_json::from_str(&text).context("hyperfine wrote no JSON")?;
    let times = document["results"][0]["times"].as_array();
    let times = times.context("hyperfine wrote no times")?;
    Ok(times
        .iter()
        .filter_map(Value::as_f64)
        .map(|seconds| seconds * 1e9)
        .collect())
}

/// What `perf stat -r` prints of the time elapsed: the mean in nanoseconds, and one run's standard deviation as a share of it.
pub(super) fn perf(command: &[String], runs: u32) -> Result<(f64, f64)> {
    let mut perf = Command::new("perf");
    perf.args(["stat", "-r", &runs.to_string(), "-e", "task-clock", "--"])
        .args(command);
    let output = perf.output().with_context(|| crate::shell::cannot_run(&perf))?;
    ensure!(output.status.success(), "perf stat ended with {}", output.status);
    let text = String::from_utf8_lossy(&output.stderr);
    let (mean, error) =
        elapsed(&text).with_context(|| format!("perf stat printed no time elapsed:\n{text}"))?;
    Ok((mean * 1e9, error * f64::from(runs).sqrt() / mean))
}

/// Seconds elapsed in the mean, and the error of that mean: `0.0006120 +- 0.0000150 seconds time elapsed`.
fn elapsed(text: &str) -> Option<(f64, f64)> {
    let line = text.lines().find(|line| line.contains("seconds time elapsed"))?;
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_values() {
        let figures = Figures::of(vec![5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!((figures.median, figures.mean), (Some(3.0), 3.0));
        assert_eq!(figures.quartiles, Some((4.0 - 2.0) / 3.0));
        assert!((figures.deviation - 2_f64.sqrt() / 3.0).abs() < 1e-12);
        assert!(Figures::of(Vec::new()).is_err());
    }

    #[test]
    fn the_time_perf_prints_is_read_with_its_error() {
        let text = "\n          0.0006120 +- 0.0000150 seconds time elapsed  ( +-  2.45% )\n";
        assert_eq!(elapsed(text), Some((0.000612, 0.000015)));
        assert_eq!(elapsed("nothing"), None);
    }
}
