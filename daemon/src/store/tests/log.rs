//! What is left of the store's files after somebody else has been at them: a log or a spool that is cut short, changed,
//! gone or another database's, and a database that is cut short. What is read is as it was written, or damage is told.

use std::fs;

use proptest::prelude::*;

use super::*;

/// Runs that are in the log, and those that are in the spool.
const RUNS: [u32; 2] = [150, 50];
const ALL: u32 = RUNS[0] + RUNS[1];
const LOG: &str = "wbd.db-wal";
const SPOOL: &str = "wbd.spool";

/// A store as `kill -9` leaves it, its last runs in log and spool alone: its files, and nobody has them open.
fn killed(first_run: u32) -> TempDir {
    let (dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    for (number, runs) in RUNS.into_iter().enumerate() {
        let first = first_run + RUNS[..number].iter().sum::<u32>();
        for run in first..first + runs {
            writer.record(&recording, 0, &sample(run)).unwrap();
        }
        if number == 0 {
            writer.flush().unwrap();
        }
    }
    let copy = tempfile::tempdir().unwrap();
    for name in [FILE_NAME, LOG, SPOOL] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap(); // closing it would empty the log
    }
    copy
}

/// The runs of the newest experiment; none where damage is told.
fn read(dir: &TempDir) -> Option<Vec<Sample>> {
    let told = |error: StoreError| match error {
        StoreError::Damaged { .. } | StoreError::Newer { .. } => None::<()>,
        other => panic!("not told as damage: {other}"),
    };
    let read = || {
        let store = Store::open(dir.path())?;
        store.writer()?.interrupt_unfinished()?;
        let reader = store.reader(Scope::All)?;
        reader.list()?;
        reader.experiment("latest", true)?;
        reader.samples("latest", 0)
    };
    read().map_err(told).ok()
}

/// Checks that these are the first so many of what one file held, and all or none of what another held after it: what
/// was written last may be lost, and nothing between.
fn assert_beginning(runs: &[Sample]) {
    let of_log = runs.iter().take_while(|run| run.run < RUNS[0]).count() as u32;
    let rest = runs.len() as u32 - of_log;
    let expected: Vec<_> = (0..of_log).chain(RUNS[0]..RUNS[0] + rest).map(sample).collect();
    assert_eq!(runs, expected);
}

#[test]
fn all_runs_are_there_after_a_kill() {
    assert_eq!(
        read(&killed(0)).unwrap(),
        (0..ALL).map(sample).collect::<Vec<_>>()
    );
}

#[test]
fn a_log_that_is_gone_takes_what_was_in_it_alone() {
    let dir = killed(0);
    fs::remove_file(dir.path().join(LOG)).unwrap();
    assert_beginning(&read(&dir).unwrap_or_default());
}

#[test]
fn a_spool_of_another_database_brings_no_run_twice_and_harms_nobody() {
    let (dir, other) = (killed(0), killed(1_000_000));
    fs::copy(other.path().join(SPOOL), dir.path().join(SPOOL)).unwrap();
    let runs = read(&dir).unwrap();
    assert_beginning(&runs[..RUNS[0] as usize]);
    assert!(
        runs.iter().all(|run| *run == sample(run.run)),
        "a run that nobody recorded"
    );
}

#[test]
fn a_log_of_another_database_is_told_or_believed_and_harms_nobody() {
    let (dir, other) = (killed(0), killed(1_000_000));
    fs::copy(other.path().join(LOG), dir.path().join(LOG)).unwrap();
    let runs = read(&dir).unwrap_or_default();
    // SQLite cannot know whose it is. The pages in it are whole, so are the runs on them.
    let whole = |run: &Sample| *run == sample(run.run);
    assert!(runs.iter().all(whole), "a run that nobody recorded");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_log_cut_short_loses_its_end(share in 0.0..1.0_f64) {
        let dir = killed(0);
        let log = dir.path().join(LOG);
        let bytes = fs::read(&log).unwrap();
        fs::write(&log, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
        assert_beginning(&read(&dir).unwrap_or_default());
    }

    /// Its checksums tell where it was changed: what was recorded before is there.
    #[test]
    fn a_log_with_a_changed_byte_loses_what_comes_after(share in 0.0..1.0_f64, change in 1..=255_u8) {
        let dir = killed(0);
        let log = dir.path().join(LOG);
        let mut bytes = fs::read(&log).unwrap();
        let place = (bytes.len() as f64 * share) as usize;
        bytes[place] ^= change;
        fs::write(&log, bytes).unwrap();
        assert_beginning(&read(&dir).unwrap_or_default());
    }

    #[test]
    fn a_database_cut_short_is_told(share in 0.0..1.0_f64) {
        let dir = killed(0);
        fs::remove_file(dir.path().join(SPOOL)).unwrap();
        drop(Store::open(dir.path()).unwrap().writer().unwrap()); // brings the log into the database
        let file = dir.path().join(FILE_NAME);
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
        let runs = read(&dir).unwrap_or_default();
        prop_assert!(runs.is_empty() || runs.len() == RUNS[0] as usize, "{} runs", runs.len());
        assert_beginning(&runs);
    }
}
