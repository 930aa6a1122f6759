//! Removing experiments, and what a predecessor left behind.

use wbd_model::document::State;

use super::*;

/// Rows of every table that belong to experiments.
fn rows(writer: &Writer) -> i64 {
    let query = "SELECT (SELECT count(*) FROM experiment) + (SELECT count(*) FROM cell)
        + (SELECT count(*) FROM sample) + (SELECT count(*) FROM unavailable) + (SELECT count(*) FROM histogram)
        + (SELECT count(*) FROM explanation)";
    writer.connection.query_row(query, (), |row| row.get(0)).unwrap()
}

fn finished_experiment(writer: &mut Writer, runs: u32) -> String {
    let recording = writer.begin_experiment(&new_experiment(0, 2)).unwrap();
    let runs: Vec<_> = (0..runs)
        .flat_map(|run| [(0, sample(run)), (1, failed(run))])
        .collect();
    writer.record_batch(&recording, &runs).unwrap();
    writer
        .record_unavailable(&recording, 0, Metric::Cycles, "no counters")
        .unwrap();
    writer.finish(&recording, State::Done, &[]).unwrap();
    recording.name()
}

#[test]
fn a_removed_experiment_leaves_no_row() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let kept = finished_experiment(&mut writer, 3);
    let before = rows(&writer);
    let name = finished_experiment(&mut writer, 2500); // more than one piece
    assert_eq!(writer.remove(Scope::All, &name).unwrap(), Removal::Removed);
    assert_eq!(rows(&writer), before);
    assert_eq!(writer.remove(Scope::All, &name).unwrap(), Removal::Unknown);
    assert_eq!(
        store.reader(Scope::All).unwrap().samples(&kept, 0).unwrap().len(),
        3
    );
}

#[test]
fn a_name_is_never_given_twice() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let first = finished_experiment(&mut writer, 1);
    writer.remove(Scope::All, "latest").unwrap();
    let second = finished_experiment(&mut store.writer().unwrap(), 1);
    assert_eq!((first.as_str(), second.as_str()), ("1", "2"));
}

#[test]
fn a_running_experiment_is_not_removed() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    let removal = store.writer().unwrap().remove(Scope::All, &recording.name());
    assert_eq!(removal.unwrap(), Removal::Running);
    writer.record(&recording, 0, &sample(0)).unwrap();
}

#[test]
fn recording_goes_on_while_another_experiment_is_removed() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let old = finished_experiment(&mut writer, 10_000);
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    let mut other = store.writer().unwrap();
    let removal = std::thread::spawn(move || other.remove(Scope::All, &old).unwrap());
    let mut recorded = 0;
    while recorded < 50 || !removal.is_finished() {
        writer.record(&recording, 0, &sample(recorded)).unwrap();
        recorded += 1;
    }
    assert_eq!(removal.join().unwrap(), Removal::Removed);
    writer.flush().unwrap();
    let reader = store.reader(Scope::All).unwrap();
    assert_eq!(
        reader.samples(&recording.name(), 0).unwrap().len(),
        recorded as usize
    );
}

#[test]
fn a_start_marks_what_was_running_and_completes_removals() {
    let (dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let removed = finished_experiment(&mut writer, 2);
    let done = finished_experiment(&mut writer, 2);
    let before = rows(&writer);
    let running = writer.begin_experiment(&new_experiment(0, 0)).unwrap();
    writer
        .connection
        .execute("UPDATE experiment SET removed = 1 WHERE id = ?", [&removed])
        .unwrap();
    drop(writer);

    let mut writer = Store::open(dir.path()).unwrap().writer().unwrap();
    writer.interrupt_unfinished().unwrap();
    let reader = store.reader(Scope::All).unwrap();
    let state = |name: &str| {
        reader
            .experiment(name, false)
            .unwrap()
            .map(|stored| stored.experiment.state)
    };
    assert_eq!(state(&running.name()), Some(State::Interrupted));
    assert_eq!(state(&done), Some(State::Done));
    assert_eq!(state(&removed), None);
    assert_eq!(rows(&writer), before / 2 + 1);
}
