//! `kill -9` of a process that records loses no run it had recorded.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use wbd_model::document::State;

use super::*;

/// Tells the child where to write.
const DIRECTORY: &str = "WBD_TEST_STORE";
/// Runs the child must have recorded before it is killed.
const ENOUGH: u32 = 300;

/// What the child does: the test's own program, started again with a directory to write in.
fn record_until_killed(dir: &Path) {
    let mut writer = Store::open(dir).unwrap().writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    let mut told = std::io::stderr();
    for run in 0.. {
        writer.record(&recording, 0, &sample(run)).unwrap();
        writeln!(told, "recorded {run}").unwrap();
    }
}

fn start_child(dir: &Path) -> std::process::Child {
    let (_, module) = module_path!().split_once("::").unwrap();
    let this_test = format!("{module}::a_killed_writer_loses_at_most_the_run_in_flight");
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", &this_test])
        .env(DIRECTORY, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills the child once it told of enough runs; what it had told by then, to the last line.
fn last_run_told(mut child: std::process::Child) -> u32 {
    let mut last = 0;
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some(run) = line.strip_prefix("recorded ").and_then(|run| run.parse().ok()) else {
            continue;
        };
        last = run;
        if last == ENOUGH {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    last
}

#[test]
fn a_killed_writer_loses_at_most_the_run_in_flight() {
    if let Some(dir) = env::var_os(DIRECTORY) {
        return record_until_killed(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let last = last_run_told(start_child(dir.path()));
    assert!(last >= ENOUGH, "the child ended by itself after {last} runs");

    let store = Store::open(dir.path()).unwrap();
    let reader = store.reader(Scope::All).unwrap();
    let runs = reader.samples("latest", 0).unwrap();
    let made = u32::try_from(runs.len()).unwrap();
    assert!(made > last, "told of run {last}, found {made} runs");
    assert_eq!(runs, (0..made).map(sample).collect::<Vec<_>>());

    store.writer().unwrap().interrupt_unfinished().unwrap();
    let stored = reader.experiment("latest", false).unwrap().unwrap();
    assert_eq!(
        (stored.experiment.state, stored.summed_up),
        (State::Interrupted, false)
    );
}
