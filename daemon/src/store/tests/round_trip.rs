//! Whatever a run holds is read back as it was recorded.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use wbd_model::thread::{Stretch, ThreadState, ThreadTrace};
use wbd_model::{Exit, Instant, InstantName, Metric, Sample};

use super::{new_experiment, new_store};
use crate::store::Scope;

fn instants() -> impl Strategy<Value = BTreeMap<InstantName, Instant>> {
    let name = select(vec![
        InstantName::Launch,
        InstantName::CgroupMade,
        InstantName::Guest,
        InstantName::Exit,
    ]);
    let instant = (any::<u64>(), ".*").prop_map(|(ns, method)| Instant::seen(ns, method));
    btree_map(name, instant, 0..4)
}

fn exit() -> impl Strategy<Value = Exit> {
    prop_oneof![
        any::<i32>().prop_map(Exit::Code),
        any::<i32>().prop_map(Exit::Signal),
        ".*".prop_map(Exit::NotStarted),
    ]
}

fn thread() -> impl Strategy<Value = ThreadTrace> {
    let stretch =
        (any::<u64>(), any::<u64>(), any::<Option<u32>>()).prop_map(|(from_ns, to_ns, cpu)| Stretch {
            from_ns,
            to_ns,
            state: ThreadState::Ready,
            cpu,
        });
    (any::<u32>(), ".*", vec(stretch, 0..3)).prop_map(|(tid, name, stretches)| ThreadTrace {
        pid: 7,
        tid,
        name,
        stretches,
    })
}

prop_compose! {
    fn samples()(
        order: u32, valid: bool, exit in exit(), instants in instants(),
        metrics in btree_map(select(Metric::ALL.to_vec()), any::<u64>(), 0..17),
        notes in vec(".*", 0..3), threads in vec(thread(), 0..2),
    ) -> Sample {
        Sample { run: 0, order, valid, exit, instants, metrics, notes, threads }
    }
}

#[test]
fn runs_are_read_back_as_recorded() {
    let (_dir, store) = new_store();
    let reader = store.reader(Scope::All).unwrap();
    proptest!(|(runs in vec(samples(), 1..4), seed: u64, warning in ".*")| {
        let mut new = new_experiment(0, 2);
        new.seed = seed;
        new.warnings = vec![warning];
        let numbered = (u32::MAX - 4..).zip(runs).map(|(run, sample)| Sample { run, ..sample });
        let runs: Vec<_> = numbered.collect();

        let mut writer = store.writer().unwrap();
        let recording = writer.begin_experiment(&new).unwrap();
        for sample in &runs {
            writer.record(&recording, 0, sample).unwrap();
        }
        let batch: Vec<_> = runs.iter().map(|sample| (1, sample.clone())).collect();
        writer.record_batch(&recording, &batch).unwrap();
        writer.flush().unwrap();

        let read = reader.experiment("latest", true).unwrap().unwrap().experiment;
        prop_assert_eq!(read.seed, new.seed);
        prop_assert_eq!(&read.warnings, &new.warnings);
        prop_assert_eq!(&read.cells[0].samples, &runs);
        prop_assert_eq!(&read.cells[1].samples, &runs);
    });
}

#[test]
fn the_largest_numbers_are_kept_in_full() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(u32::MAX, 1)).unwrap();
    let mut sample = super::sample(u32::MAX);
    sample.metrics.insert(Metric::Cycles, u64::MAX);
    writer.record(&recording, 0, &sample).unwrap();
    writer.flush().unwrap();
    let reader = store.reader(Scope::Owner(u32::MAX)).unwrap();
    assert_eq!(reader.samples(&recording.name(), 0).unwrap(), [sample]);
}
