//! Histograms, timelines, exports and text: each shows the runs as they were.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use wbd_model::request::{Histograms, Timelines};
use wbd_model::{Exit, Experiment, InstantName as I, Metric};
use wbd_tests::Home;
use wbd_tests::documents::ns;

/// Needs root.
#[test]
fn a_histogram_holds_the_runs_of_each_cell() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native", "-t", "native-dynamic", "-n", "50"]);
    let drawn: Histograms = home
        .wbctl(&["--json", "hist", "latest", "--metric", "wall"])
        .expect(0)
        .json();
    assert_eq!(drawn.cells.len(), 2);
    for (cell, distribution) in made.cells.iter().zip(&drawn.cells) {
        assert_eq!(
            (&cell.target, Metric::Wall),
            (&distribution.target, distribution.metric)
        );
        let bytes = BASE64_STANDARD.decode(&distribution.hdr).unwrap();
        let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
        assert_eq!(histogram.len(), 50);
        let (found, truth) = (histogram.value_at_quantile(0.5), cell.metrics[&Metric::Wall].p50);
        assert!(
            found.abs_diff(truth) <= truth / 100,
            "{found}, and the samples say {truth}"
        );
    }
    let text = home.wbctl(&["hist", "latest"]).expect(0).stdout;
    assert!(
        text.contains("native/empty") && text.contains("native-dynamic/empty"),
        "{text}"
    );
}

/// Needs root.
#[test]
fn a_timeline_holds_the_instants_of_a_run() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native-dynamic", "-n", "5"]);
    let drawn: Timelines = home
        .wbctl(&["--json", "timeline", "latest", "--run", "3"])
        .expect(0)
        .json();
    let sample = &made.cells[0].samples[3];
    let marks = &drawn.cells[0].marks;
    assert_eq!(marks.len(), sample.instants.len());
    for mark in marks {
        assert_eq!(
            mark.offset_ns as u64,
            ns(sample, mark.name) - ns(sample, I::Launch),
            "{}",
            mark.name
        );
    }
    assert!(marks.is_sorted_by_key(|mark| mark.offset_ns));
    let text = home.wbctl(&["timeline", "latest"]).expect(0).stdout;
    for name in ["launch", "exec", "first_user", "entry", "exit"] {
        assert!(text.contains(name), "no {name}: {text}");
    }
    home.wbctl(&["timeline", "latest", "--run", "99"]).expect(2);
}

/// Needs root.
#[test]
fn an_export_holds_every_figure_of_every_run() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native", "-t", "native-dynamic", "-n", "4"]);
    let json = home
        .wbctl(&["export", "latest", "--format", "json"])
        .expect(0)
        .json::<Experiment>();
    assert_eq!(json, made);
    let csv = home
        .wbctl(&["export", "latest", "--format", "csv"])
        .expect(0)
        .stdout;
    let lines: BTreeMap<Vec<&str>, &str> = csv.lines().skip(1).map(figure).collect();
    let mut figures = 0;
    for cell in &made.cells {
        for sample in &cell.samples {
            let run = sample.run.to_string();
            let value = |kind, name| lines[&vec![cell.target.as_str(), run.as_str(), kind, name]].to_owned();
            assert_eq!(sample.exit, Exit::Code(value("exit", "code").parse().unwrap()));
            for (name, number) in &sample.metrics {
                assert_eq!(value("metric", name.as_str()), number.to_string());
            }
            for (name, instant) in &sample.instants {
                assert_eq!(value("instant", name.as_str()), instant.ns.to_string());
            }
            figures += 1 + sample.metrics.len() + sample.instants.len();
        }
    }
    assert_eq!(lines.len(), figures);
}

/// Target, run, kind and name of a figure, and its value.
fn figure(line: &str) -> (Vec<&str>, &str) {
    let columns: Vec<&str> = line.split(',').collect();
    let [_, target, _, run, _, _, kind, name, value, _, _] = columns[..] else {
        panic!("{line}")
    };
    (vec![target, run, kind, name], value)
}

/// Needs root.
#[test]
fn into_a_pipe_goes_plain_text() {
    let home = Home::new();
    let _wbd = home.start();
    for line in [
        &["run", "-t", "native", "-n", "3"][..],
        &["show", "latest", "--runs"],
        &["list"],
        &["hist", "latest"],
        &["timeline", "latest"],
        &["targets"],
        &["workloads"],
        &["doctor"],
        &["--help"],
    ] {
        let answer = home.wbctl(line).expect(0);
        assert!(
            !answer.stdout.is_empty() && answer.stderr.is_empty(),
            "{line:?}: {answer:#?}"
        );
        assert!(!answer.stdout.contains('\u{1b}'), "{line:?}: {}", answer.stdout);
    }
}

/// As the Perfetto viewer wants it: JSON, every slice of a track beside the others or inside. Needs root.
#[test]
fn a_trace_holds_every_run_as_a_track_of_its_own() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native-dynamic", "-n", "4"]);
    let trace: serde_json::Value = home
        .wbctl(&["export", "latest", "--format", "perfetto"])
        .expect(0)
        .json();
    let events = trace["traceEvents"].as_array().unwrap();
    for sample in &made.cells[0].samples {
        let of_run = |phase: &str| {
            let phase = phase.to_owned();
            let tid = sample.run + 1;
            events
                .iter()
                .filter(move |event| event["ph"] == phase.as_str() && event["tid"] == tid)
        };
        let total = |category: &str| {
            let times = |phase: &str| {
                let of_category = of_run(phase).filter(|event| event["cat"] == category);
                of_category
                    .map(|event| event["ts"].as_f64().unwrap())
                    .sum::<f64>()
            };
            times("E") - times("B")
        };
        let wall = sample.metrics[&Metric::Wall] as f64 / 1000.0;
        for category in ["run", "phase"] {
            assert!(
                (total(category) - wall).abs() < 0.01,
                "{category}: {} and {wall}",
                total(category)
            );
        }
        assert_eq!(of_run("i").count(), sample.instants.len());
    }
}

/// Needs root.
#[test]
fn a_log_of_histograms_holds_each_metric_of_each_cell() {
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native", "-n", "20"]);
    let log = home
        .wbctl(&["export", "latest", "--format", "hdr"])
        .expect(0)
        .stdout;
    let entries = IntervalLogIterator::new(log.as_bytes()).map(Result::unwrap);
    let logged = entries
        .filter(|entry| matches!(entry, LogEntry::Interval(_)))
        .count();
    assert_eq!(logged, made.cells[0].metrics.len(), "{log}");
}
