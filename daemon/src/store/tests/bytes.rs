//! What experiments take of the store, user by user.

use wbd_model::document::State;

use super::*;

/// Bytes of a user's experiments.
fn of(store: &Store, uid: u32) -> u64 {
    store.reader(Scope::Owner(uid)).unwrap().stored_bytes().unwrap()
}

fn record(store: &Store, owner: u32, runs: u32) -> (Writer, Recording, u64) {
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(owner, 1)).unwrap();
    let bytes = (0..runs).map(|run| writer.record(&recording, 0, &sample(run)).unwrap());
    let told = bytes.sum();
    (writer, recording, told)
}

#[test]
fn an_experiment_takes_what_its_runs_were_told_to_and_a_little_more() {
    let (_dir, store) = new_store();
    let (mut writer, recording, told) = record(&store, 1000, 500);
    writer.finish(&recording, State::Done, &[]).unwrap();
    let counted = of(&store, 1000);
    assert!(
        (told..told + 2_000).contains(&counted),
        "{told} told, {counted} counted"
    );
    assert_eq!((of(&store, 1001), of(&store, 0)), (0, 0));
    writer.remove(Scope::Owner(1000), &recording.name()).unwrap();
    assert_eq!(of(&store, 1000), 0);
}

#[test]
fn what_a_killed_daemon_left_is_counted_when_the_next_one_starts() {
    let (dir, store) = new_store();
    let (writer, _, told) = record(&store, 1000, 500);
    assert_eq!(of(&store, 1000), 0);
    drop(writer);
    let store = Store::open(dir.path()).unwrap();
    store.writer().unwrap().interrupt_unfinished().unwrap();
    assert!(of(&store, 1000) >= told);
}
