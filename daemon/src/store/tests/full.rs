//! No room left. A limit on the number of pages takes the same path in SQLite as a disk that is full.

use wbd_model::document::State;

use super::*;

fn limit(writer: &Writer, more_pages: i64) {
    let pages: i64 = writer
        .connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let set = format!("PRAGMA max_page_count = {}", pages + more_pages);
    writer.connection.query_row(&set, (), |_| Ok(())).unwrap();
}

fn record_until_full(writer: &mut Writer, recording: &Recording) -> u32 {
    for run in 0..100_000 {
        match writer.record(recording, 0, &sample(run)) {
            Ok(_) => {}
            Err(StoreError::Full { .. }) => return run,
            Err(other) => panic!("not told as full: {other}"),
        }
    }
    panic!("the limit did not hold");
}

#[test]
fn runs_finished_before_the_disk_is_full_are_kept() {
    let (dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    limit(&writer, 40);
    let last = record_until_full(&mut writer, &recording);
    assert!(last > 0);
    drop(writer);
    let store = Store::open(dir.path()).unwrap(); // where there is room
    let runs = store.reader(Scope::All).unwrap().samples("latest", 0).unwrap();
    assert_eq!(runs, (0..=last).map(sample).collect::<Vec<_>>());
}

#[test]
fn a_batch_without_room_leaves_nothing_and_the_experiment_can_end() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    writer.record(&recording, 0, &sample(9999)).unwrap();
    writer.flush().unwrap();
    limit(&writer, 10);
    let runs: Vec<_> = (0..5000).map(|run| (0, sample(run))).collect();
    let error = writer.record_batch(&recording, &runs).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    writer.finish(&recording, State::Interrupted, &[]).unwrap();
    let stored = store
        .reader(Scope::All)
        .unwrap()
        .experiment("latest", true)
        .unwrap()
        .unwrap();
    assert_eq!(stored.experiment.state, State::Interrupted);
    assert_eq!(stored.experiment.cells[0].samples, [sample(9999)]);
}

#[test]
fn removing_an_experiment_makes_room() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    limit(&writer, 200);
    record_until_full(&mut writer, &recording);
    writer.finish(&recording, State::Interrupted, &[]).unwrap();
    assert_eq!(
        writer.remove(Scope::All, &recording.name()).unwrap(),
        Removal::Removed
    );
    let next = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    assert!(record_until_full(&mut writer, &next) > 100);
}
