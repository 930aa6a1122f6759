//! An experiment of many runs answers at once: its document is not made of its runs.

use std::time::{Duration, Instant};

use wbd_model::document::State;

use super::*;

const CELLS: u32 = 4;
const RUNS_PER_CELL: u32 = 5_000;

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    let took = start.elapsed();
    println!("{what}: {took:?}");
    (made, took)
}

fn record_all(writer: &mut Writer, recording: &Recording) {
    for run in 0..RUNS_PER_CELL {
        let runs: Vec<_> = (0..CELLS as usize).map(|cell| (cell, sample(run))).collect();
        writer.record_batch(recording, &runs).unwrap();
    }
}

#[test]
fn what_is_asked_of_a_finished_experiment_does_not_read_its_runs() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer
        .begin_experiment(&new_experiment(0, CELLS as usize))
        .unwrap();
    timed("recording", || record_all(&mut writer, &recording));
    let reader = store.reader(Scope::All).unwrap();
    timed("list while it runs", || reader.list().unwrap());
    let (stored, _) = timed("document while it runs", || {
        reader.experiment("latest", false).unwrap()
    });
    let (_, read) = timed("the runs of one cell", || reader.samples("latest", 3).unwrap());
    let summaries = stored.unwrap().experiment.cells.into_iter();
    let finished: Vec<_> = summaries
        .map(|summary| FinishedCell {
            summary,
            histograms: BTreeMap::new(),
        })
        .collect();
    writer.finish(&recording, State::Done, &finished).unwrap();

    let (lines, listed) = timed("list", || reader.list().unwrap());
    assert_eq!(lines[0].runs, u64::from(CELLS * RUNS_PER_CELL));
    let (_, shown) = timed("document", || reader.experiment("latest", false).unwrap());
    assert!(
        (listed + shown) * 4 < read,
        "the runs were read: {listed:?}, {shown:?} against {read:?} for those of one cell"
    );
    timed("removal", || writer.remove(Scope::All, "latest").unwrap());
}
