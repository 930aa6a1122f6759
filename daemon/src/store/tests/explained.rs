//! Explanations that are kept.

use wbd_model::document::State;
use wbd_model::request::KeptExplanation;

use super::*;

fn cell(experiment: &Recording, number: usize) -> String {
    let name = experiment.name();
    format!(
        r#"{{"experiment":"{name}","number":{number},"target":"native","workload":"fasta","args":["1"]}}"#
    )
}

fn explanation(a: String, b: String, created: u64) -> KeptExplanation {
    let document = format!(
        r#"{{"schema":1,"a":{a},"b":{b},"difference":{{"ns":-5,"ratio":0.5}},
            "causes":[{{"kind":"syscalls","share":0.75,"text":"the kernel","evidence":{{"a_ns":5.5}},"confirmed":true}}],
            "unattributed":0.25,"slowdown":[1.5,1.25],"verdict":"slower",
            "profiles":[{{"wall_ns":7,"threads":[],"stacks":[],"sample_period_ns":5,"lost":0}}]}}"#
    );
    let explanation = serde_json::from_str(&document).unwrap();
    KeptExplanation { created, explanation }
}

fn finished(writer: &mut Writer, owner: u32) -> Recording {
    let recording = writer.begin_experiment(&new_experiment(owner, 2)).unwrap();
    writer.finish(&recording, State::Done, &[]).unwrap();
    recording
}

#[test]
fn the_last_explanation_of_each_pair_is_kept_for_both_experiments() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let (one, other) = (finished(&mut writer, 5), finished(&mut writer, 5));
    let within = explanation(cell(&one, 0), cell(&one, 1), 1);
    let across = explanation(cell(&one, 0), cell(&other, 0), 2);
    let again = explanation(cell(&one, 0), cell(&one, 1), 3);
    for kept in [&within, &across, &again] {
        writer.keep_explanation(kept).unwrap();
    }
    let reader = store.reader(Scope::Owner(5)).unwrap();
    let of = |experiment: &Recording| {
        let found = reader.explanations(&experiment.name()).unwrap();
        found.unwrap().explanations
    };
    assert_eq!(of(&one), [again, across.clone()]);
    assert_eq!(of(&other), [across]);
    let latest = reader.explanations("latest").unwrap().unwrap();
    assert_eq!(latest.experiment, other.name());
}

#[test]
fn an_explanation_goes_with_either_of_its_cells() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let (one, other) = (finished(&mut writer, 0), finished(&mut writer, 0));
    let across = explanation(cell(&one, 0), cell(&other, 1), 2);
    writer.keep_explanation(&across).unwrap();
    writer.remove(Scope::All, &other.name()).unwrap();
    let reader = store.reader(Scope::All).unwrap();
    let found = reader.explanations(&one.name()).unwrap().unwrap();
    assert_eq!(found.explanations, []);
    writer.keep_explanation(&across).unwrap(); // with a cell that is gone by now
    let found = reader.explanations(&one.name()).unwrap().unwrap();
    assert_eq!(found.explanations, []);
}

#[test]
fn others_do_not_see_what_was_explained() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let one = finished(&mut writer, 5);
    writer
        .keep_explanation(&explanation(cell(&one, 0), cell(&one, 1), 1))
        .unwrap();
    let reader = store.reader(Scope::Owner(6)).unwrap();
    assert_eq!(reader.explanations(&one.name()).unwrap(), None);
}

#[test]
fn a_database_of_the_first_version_gets_its_table() {
    let (dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let one = finished(&mut writer, 0);
    writer
        .connection
        .execute_batch(
            "DROP TABLE explanation; ALTER TABLE experiment DROP COLUMN bytes; ALTER TABLE sample DROP COLUMN threads;
             PRAGMA user_version = 1",
        )
        .unwrap();
    drop(writer);
    let store = Store::open(dir.path()).unwrap();
    let kept = explanation(cell(&one, 0), cell(&one, 1), 1);
    store.writer().unwrap().keep_explanation(&kept).unwrap();
    let found = store.reader(Scope::All).unwrap().explanations("latest");
    assert_eq!(found.unwrap().unwrap().explanations, [kept]);
}
