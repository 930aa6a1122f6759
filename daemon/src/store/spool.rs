//! Runs on their way into the database.
//!
//! A transaction for each run would take a third of a small program's launch. So a run is appended to a file beside
//! the database, in one `write`, which no end of the process undoes; the rows of many go into the database in one
//! transaction, after which the file is empty again. What a killed daemon, or one without room, left in the file comes
//! into the database when the store is next opened or an experiment begins.
//!
//! ```text
//!   record = length of the row (4 bytes) | XXH3 of the row (8) | row
//!   row    = cell (8) | run (4) | place (4) | valid (1) | exit, instants, metrics, notes: each length (4) | JSON
//! ```
//!
//! Numbers are little-endian. A record that is torn or was not written whole ends the reading.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use wbd_model::Sample;
use xxhash_rust::xxh3::xxh3_64;

use super::StoreError;

/// Bytes before a row.
const HEAD_BYTES: usize = 12;

/// One run, as the columns of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cell: i64,
    pub(super) run: u32,
    pub(super) place: u32,
    pub(super) valid: bool,
    /// Exit, instants, metrics and notes.
    pub(super) json: [String; 4],
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
            ],
        })
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

/// The file, open for appending.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    file: File,
    bytes: u64,
    record: Vec<u8>,
}

impl Spool {
    /// Opens the spool of a database, and reads what it holds.
    pub(super) fn open(database: &Path) -> Result<(Self, Vec<Row>), StoreError> {
        let path = database.with_extension("spool");
        let opened = read(&path).map_err(|error| StoreError::of_path(&path, error));
        let (file, held) = opened?;
        let spool = Self {
            path,
            file,
            bytes: held.len() as u64,
            record: Vec::new(),
        };
        Ok((spool, rows(&held)))
    }

    /// Appends a run. Once this returns, no end of the process loses it.
    pub(super) fn append(&mut self, row: &Row) -> Result<(), StoreError> {
        self.record.clear();
        self.record.resize(HEAD_BYTES, 0);
        row.encode(&mut self.record);
        let (head, body) = self.record.split_at_mut(HEAD_BYTES);
        head[..4].copy_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        head[4..].copy_from_slice(&xxh3_64(body).to_le_bytes());
        if let Err(error) = self.file.write_all(&self.record) {
            let _ = self.file.set_len(self.bytes); // a part would hide what comes after it
            return Err(StoreError::of_path(&self.path, error));
        }
        self.bytes += self.record.len() as u64;
        Ok(())
    }

    /// Forgets what it holds: it is in the database.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        let cleared = self.file.set_len(0);
        cleared.map_err(|error| StoreError::of_path(&self.path, error))
    }
}

fn read(path: &Path) -> io::Result<(File, Vec<u8>)> {
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let mut held = Vec::new();
    file.read_to_end(&mut held)?;
    Ok((file, held))
}

/// The rows of whole records, up to the first that is not.
fn rows(mut held: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some(row) = next(&mut held) {
        rows.push(row);
    }
    rows
}

fn next(held: &mut &[u8]) -> Option<Row> {
    let length = u32::from_le_bytes(take(held)?) as usize;
    let hash = u64::from_le_bytes(take(held)?);
    let (row, rest) = held.split_at_checked(length)?;
    *held = rest;
    Row::decode(row).filter(|_| xxh3_64(row) == hash)
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
            json: [text.to_owned(), String::new(), "{}".to_owned(), "ä".to_owned()],
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
    fn what_was_appended_is_there_when_it_is_opened_again_until_it_is_cleared() {
        let rows = [row(0, "a"), row(1, "")];
        let (_dir, database) = written(&rows);
        let (mut spool, held) = Spool::open(&database).unwrap();
        assert_eq!(held, rows);
        spool.clear().unwrap();
        spool.append(&rows[1]).unwrap();
        assert_eq!(Spool::open(&database).unwrap().1, rows[1..]);
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
