//! Runs on their way into the database.
//!
//! A transaction for each run would take a third of a small program's launch. So a run is added to a file beside the
//! database, in one `write`, which no end of the process undoes; the rows of many go into the database in one
//! transaction, after which the file counts as empty. What a killed daemon, or one without room, left in the file comes
//! into the database when the store is next opened or an experiment begins.
//!
//! ```text
//!   file   = generation (8 bytes) | records
//!   record = length of the row (4) | XXH3 of the row, seeded with the generation (8) | row
//!   row    = cell (8) | run (4) | place (4) | valid (1) | exit, instants, metrics, notes, threads: each length (4) | JSON
//! ```
//!
//! Numbers are little-endian. A record that was not written whole, or is of an earlier generation, ends the reading.
//! Emptied, the file gets another generation and keeps its length: to write where there is room already is quickest.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use wbd_model::Sample;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{StoreError, bytes};

/// Bytes before the records.
const GENERATION_BYTES: u64 = 8;
/// Bytes before a row.
const HEAD_BYTES: usize = 12;

/// One run, as the columns of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cell: i64,
    pub(super) run: u32,
    pub(super) place: u32,
    pub(super) valid: bool,
    /// Exit, instants, metrics, notes, and threads: nothing where there are none.
    pub(super) json: [String; 5],
}

impl Row {
    pub(super) fn new(cell: i64, sample: &Sample) -> serde_json::Result<Self> {
        Ok(Self {
            cell,
            run: sample.run,
            place: sample.order,
            valid: sample.valid,
            json: [
                serde_json::to_string(&sample.exit)?,
                serde_json::to_string(&sample.instants)?,
                serde_json::to_string(&sample.metrics)?,
                serde_json::to_string(&sample.notes)?,
                match sample.threads.as_slice() {
                    [] => String::new(),
                    threads => serde_json::to_string(threads)?,
                },
            ],
        })
    }

    /// What it takes of the store, as [`bytes`] counts it.
    pub(super) fn bytes(&self) -> u64 {
        self.json.iter().map(String::len).sum::<usize>() as u64 + bytes::ROW
    }

    fn encode(&self, into: &mut Vec<u8>) {
        into.extend(self.cell.to_le_bytes());
        into.extend(self.run.to_le_bytes());
        into.extend(self.place.to_le_bytes());
        into.push(u8::from(self.valid));
        for text in &self.json {
            into.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            into.extend(text.as_bytes());
        }
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let row = Self {
            cell: i64::from_le_bytes(take(&mut bytes)?),
            run: u32::from_le_bytes(take(&mut bytes)?),
            place: u32::from_le_bytes(take(&mut bytes)?),
            valid: take::<1>(&mut bytes)? == [1],
            json: [
                text(&mut bytes)?,
                text(&mut bytes)?,
                text(&mut bytes)?,
                text(&mut bytes)?,
                text(&mut bytes)?,
            ],
        };
        bytes.is_empty().then_some(row)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = u32::from_le_bytes(take(bytes)?) as usize;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(taken.to_vec()).ok()
}

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    file: File,
    generation: u64,
    /// Where the next record goes.
    end: u64,
    record: Vec<u8>,
}

impl Spool {
    /// Opens the spool of a database, and reads what it holds.
    pub(super) fn open(database: &Path) -> Result<(Self, Vec<Row>), StoreError> {
        let path = database.with_extension("spool");
        let opened = read(&path).map_err(|error| StoreError::of_path(&path, error));
        let (file, held) = opened?;
        let (generation, rows, bytes) = rows(&held);
        let spool = Self {
            path,
            file,
            generation,
            end: GENERATION_BYTES + bytes,
            record: Vec::new(),
        };
        Ok((spool, rows))
    }

    /// Adds a run. Once this returns, no end of the process loses it.
    pub(super) fn append(&mut self, row: &Row) -> Result<(), StoreError> {
        self.record.clear();
        self.record.resize(HEAD_BYTES, 0);
        row.encode(&mut self.record);
        let (head, body) = self.record.split_at_mut(HEAD_BYTES);
        head[..4].copy_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        head[4..].copy_from_slice(&xxh3_64_with_seed(body, self.generation).to_le_bytes());
        // What was written in part counts for nothing, and the next record goes over it.
        let written = self.file.write_all_at(&self.record, self.end);
        written.map_err(|error| StoreError::of_path(&self.path, error))?;
        self.end += self.record.len() as u64;
        Ok(())
    }

    /// Forgets what it holds: it is in the database.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        self.generation = self.generation.wrapping_add(1);
        self.end = GENERATION_BYTES;
        let cleared = self.file.write_all_at(&self.generation.to_le_bytes(), 0);
        cleared.map_err(|error| StoreError::of_path(&self.path, error))
    }
}

fn read(path: &Path) -> io::Result<(File, Vec<u8>)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.mode(0o600).open(path)?;
    let mut held = Vec::new();
    file.read_to_end(&mut held)?;
    Ok((file, held))
}

/// The generation, the rows of whole records up to the first that is not, and the bytes of these records.
fn rows(mut held: &[u8]) -> (u64, Vec<Row>, u64) {
    let generation = take(&mut held).map_or(0, u64::from_le_bytes);
    let all = held.len();
    let mut rows = Vec::new();
    let mut left = held;
    while let Some(row) = next(&mut held, generation) {
        rows.push(row);
        left = held;
    }
    (generation, rows, (all - left.len()) as u64)
}

fn next(held: &mut &[u8], generation: u64) -> Option<Row> {
    let length = u32::from_le_bytes(take(held)?) as usize;
    let hash = u64::from_le_bytes(take(held)?);
    let (row, rest) = held.split_at_checked(length)?;
    *held = rest;
    Row::decode(row).filter(|_| xxh3_64_with_seed(row, generation) == hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(run: u32, text: &str) -> Row {
        Row {
            cell: 7,
            run,
            place: !run,
            valid: run.is_multiple_of(2),
            json: [text, "", "{}", "ä", text].map(str::to_owned),
        }
    }

    fn written(rows: &[Row]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("wbd.db");
        let (mut spool, held) = Spool::open(&database).unwrap();
        assert!(held.is_empty());
        rows.iter().for_each(|row| spool.append(row).unwrap());
        (dir, database)
    }

    #[test]
    fn what_was_added_is_there_when_it_is_opened_again_until_it_is_cleared() {
        let rows = [row(0, "a"), row(1, "b"), row(2, "c")]; // of one length: after one of them another begins
        let (_dir, database) = written(&rows);
        let (mut spool, held) = Spool::open(&database).unwrap();
        assert_eq!(held, rows);
        spool.append(&rows[0]).unwrap();
        assert_eq!(Spool::open(&database).unwrap().1.len(), 4);
        spool.clear().unwrap();
        spool.append(&rows[1]).unwrap();
        assert_eq!(Spool::open(&database).unwrap().1, rows[1..2]);
    }

    proptest! {
        #[test]
        fn a_spool_that_was_cut_off_or_damaged_holds_what_was_whole(cut in 0_usize..400, flip in 0_usize..400) {
            let rows: Vec<Row> = (0..4).map(|run| row(run, "some text")).collect();
            let (_dir, database) = written(&rows);
            let path = database.with_extension("spool");
            let mut bytes = std::fs::read(&path).unwrap();
            if let Some(byte) = bytes.get_mut(flip) {
                *byte ^= 0x10;
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            std::fs::write(&path, bytes).unwrap();
            let (_, held) = Spool::open(&database).unwrap();
            prop_assert_eq!(&held[..], &rows[..held.len()]);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = super::rows(&bytes);
        }
    }
}
