//! The store against real files.

mod bytes;
mod crash;
mod damage;
mod explained;
mod full;
mod log;
mod reading;
mod removal;
mod round_trip;
mod schema;
mod volume;

use std::collections::BTreeMap;

use tempfile::TempDir;
use wbd_model::host::Machine;
use wbd_model::{Exit, Instant, InstantName, Metric, RunRequest, Sample};

use super::*;

fn new_store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

/// An experiment of `cells` cells, all of one target.
fn new_experiment(owner_uid: u32, cells: usize) -> NewExperiment {
    let cell = |number| NewCell {
        target: "native".into(),
        workload: format!("workload{number}"),
        args: vec!["1".into(), "two words".into()],
        cache: "page cache warm".into(),
        runs: 30,
    };
    NewExperiment {
        owner_uid,
        created: 1_700_000_000,
        seed: u64::MAX - 1,
        request: RunRequest {
            targets: vec!["native".into()],
            ..RunRequest::default()
        },
        machine: Machine {
            kernel: "6.1.0".into(),
            ..Machine::default()
        },
        warnings: vec!["the machine is a guest".into()],
        cells: (0..cells).map(cell).collect(),
    }
}

fn sample(run: u32) -> Sample {
    let launch = Instant::seen(1_000_000 + u64::from(run), "tp:sys_enter_execve");
    Sample {
        run,
        order: u32::MAX - run,
        valid: true,
        exit: Exit::Code(0),
        instants: BTreeMap::from([(InstantName::Launch, launch)]),
        metrics: BTreeMap::from([(Metric::Startup, 100 + u64::from(run))]),
        notes: Vec::new(),
        threads: Vec::new(),
    }
}

fn failed(run: u32) -> Sample {
    Sample {
        valid: false,
        exit: Exit::Signal(9),
        notes: vec!["timed out".into()],
        threads: Vec::new(),
        ..sample(run)
    }
}
