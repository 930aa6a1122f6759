//! What readers see: before, during and after the runs, and whose.

use std::collections::BTreeMap;

use wbd_model::document::State;
use wbd_model::{Cell, Metric, Summary, Unit};

use super::*;

fn summary(valid: u32, failed: u32) -> Cell {
    let startup = Summary {
        unit: Unit::Ns,
        n: 2,
        min: 1,
        p50: 2,
        p90: 3,
        p99: 3,
        max: 3,
        mean: 2.5,
        ci95: [1, 3],
        p90_ci95: None,
        p99_ci95: None,
    };
    Cell {
        target: "native".into(),
        workload: "empty".into(),
        args: Vec::new(),
        size: None,
        disk: None,
        cache: "page cache warm".into(),
        runs: 30,
        valid,
        failed,
        metrics: BTreeMap::from([(Metric::Startup, startup)]),
        phases: Vec::new(),
        unavailable: BTreeMap::from([(Metric::Cycles, "no counters".into())]),
        samples: Vec::new(),
        failures: BTreeMap::from([("timed out".into(), failed)]),
        remarks: BTreeMap::new(),
        outliers: Vec::new(),
        outlier_causes: BTreeMap::new(),
    }
}

#[test]
fn an_experiment_under_way_counts_its_runs_and_has_no_summaries() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 2)).unwrap();
    writer.record(&recording, 1, &sample(0)).unwrap();
    writer.record(&recording, 1, &failed(1)).unwrap();
    writer.flush().unwrap();
    writer
        .record_unavailable(&recording, 1, Metric::Cycles, "no counters")
        .unwrap();
    writer
        .record_unavailable(&recording, 1, Metric::Cycles, "a later reason")
        .unwrap();

    let reader = store.reader(Scope::All).unwrap();
    let stored = reader.experiment(&recording.name(), false).unwrap().unwrap();
    assert!(!stored.summed_up);
    assert_eq!(stored.experiment.state, State::Running);
    let cell = &stored.experiment.cells[1];
    assert_eq!((cell.valid, cell.failed, cell.runs), (1, 1, 30));
    assert_eq!(cell.args, ["1", "two words"]);
    assert_eq!(cell.unavailable[&Metric::Cycles], "no counters");
    assert!(cell.samples.is_empty());
}

#[test]
fn a_reader_sees_runs_once_they_are_many_or_a_moment_old() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    let reader = store.reader(Scope::All).unwrap();
    let seen = || reader.list().unwrap()[0].runs;
    for run in 0..600 {
        writer.record(&recording, 0, &sample(run)).unwrap();
        assert!(seen() + 256 > u64::from(run), "run {run}, seen {}", seen());
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    writer.record(&recording, 0, &sample(600)).unwrap();
    assert_eq!(seen(), 601);
}

#[test]
fn a_finished_experiment_is_told_from_its_summaries() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    writer.record(&recording, 0, &sample(0)).unwrap();
    let histograms = BTreeMap::from([(Metric::Startup, vec![1, 2, 3])]);
    let finished = FinishedCell {
        summary: summary(20, 3),
        histograms,
    };
    writer
        .finish(&recording, State::Done, std::slice::from_ref(&finished))
        .unwrap();

    let reader = store.reader(Scope::All).unwrap();
    let stored = reader.experiment("latest", true).unwrap().unwrap();
    assert!(stored.summed_up);
    assert_eq!(stored.experiment.state, State::Done);
    let with_runs = Cell {
        samples: vec![sample(0)],
        ..finished.summary
    };
    assert_eq!(stored.experiment.cells, [with_runs]);
    let line = &reader.list().unwrap()[0];
    assert_eq!((line.runs, line.failed, line.state), (23, 3, State::Done));
    assert_eq!(
        reader.histogram("latest", 0, Metric::Startup).unwrap(),
        Some(vec![1, 2, 3])
    );
    assert_eq!(reader.histogram("latest", 0, Metric::Wall).unwrap(), None);
    assert_eq!(reader.histogram("latest", 1, Metric::Startup).unwrap(), None);
}

#[test]
fn the_listing_has_the_newest_first_and_every_name_once() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let first = writer.begin_experiment(&new_experiment(0, 3)).unwrap();
    let second = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    writer.record(&first, 0, &sample(0)).unwrap();
    writer.record(&first, 2, &failed(0)).unwrap();
    writer.flush().unwrap();
    writer.finish(&second, State::Interrupted, &[]).unwrap();

    let lines = store.reader(Scope::All).unwrap().list().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0].experiment, lines[0].state),
        (&second.name(), State::Interrupted)
    );
    assert_eq!(lines[1].targets, ["native"]);
    assert_eq!(lines[1].workloads, ["workload0", "workload1", "workload2"]);
    assert_eq!((lines[1].runs, lines[1].failed), (2, 1));
}

#[test]
fn a_user_sees_only_experiments_of_their_own() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let theirs = writer.begin_experiment(&new_experiment(1001, 1)).unwrap();
    let other = writer.begin_experiment(&new_experiment(1002, 1)).unwrap();
    for recording in [&theirs, &other] {
        writer.record(recording, 0, &sample(0)).unwrap();
        let histograms = BTreeMap::from([(Metric::Startup, vec![1])]);
        let finished = FinishedCell {
            summary: summary(1, 0),
            histograms,
        };
        writer.finish(recording, State::Done, &[finished]).unwrap();
    }

    let reader = store.reader(Scope::Owner(1001)).unwrap();
    assert_eq!(reader.list().unwrap().len(), 1);
    assert_eq!(
        reader
            .experiment("latest", false)
            .unwrap()
            .unwrap()
            .experiment
            .experiment,
        theirs.name()
    );
    assert_eq!(reader.experiment(&other.name(), false).unwrap(), None);
    assert!(reader.samples(&other.name(), 0).unwrap().is_empty());
    assert_eq!(reader.histogram(&other.name(), 0, Metric::Startup).unwrap(), None);
    assert_eq!(
        writer.remove(Scope::Owner(1001), &other.name()).unwrap(),
        Removal::Unknown
    );
    assert_eq!(store.reader(Scope::All).unwrap().list().unwrap().len(), 2);
}

#[test]
fn what_names_no_experiment_finds_none() {
    let (_dir, store) = new_store();
    let reader = store.reader(Scope::All).unwrap();
    assert_eq!(reader.experiment("latest", false).unwrap(), None);
    let name = store
        .writer()
        .unwrap()
        .begin_experiment(&new_experiment(0, 1))
        .unwrap()
        .name();
    assert!(reader.experiment(&name, false).unwrap().is_some());
    for text in [
        "",
        "0",
        "2",
        "01",
        "+1",
        "-1",
        " 1",
        "Latest",
        "1 OR 1=1",
        "99999999999999999999",
    ] {
        assert_eq!(
            reader.experiment(text, false).unwrap(),
            None,
            "{text:?} found an experiment"
        );
        assert!(reader.samples(text, 0).unwrap().is_empty(), "{text:?} found runs");
    }
}

#[test]
fn all_runs_are_given_in_order_until_no_more_are_taken() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 2)).unwrap();
    for run in 0..3 {
        writer.record(&recording, 1, &sample(run)).unwrap();
        writer.record(&recording, 0, &failed(run)).unwrap();
    }
    writer.flush().unwrap();
    let reader = store.reader(Scope::All).unwrap();
    let first = |most: usize| {
        let mut taken = Vec::new();
        let found = reader.each_run("latest", |cell, sample| {
            taken.push((cell, sample.run, sample.valid));
            taken.len() < most
        });
        assert!(found.unwrap());
        taken
    };
    let all = [
        (0, 0, false),
        (0, 1, false),
        (0, 2, false),
        (1, 0, true),
        (1, 1, true),
        (1, 2, true),
    ];
    assert_eq!(first(100), all);
    assert_eq!(first(2), all[..2]);
    assert!(!reader.each_run("77", |_, _| true).unwrap());
}
