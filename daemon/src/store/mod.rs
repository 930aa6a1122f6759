//! The embedded store: experiments, their cells and every run, in one SQLite database.
//!
//! One writer records while readers answer: the database is in write-ahead-log mode, so neither waits for
//! the other. A recorded run is in the [`spool`] at once and in the database a moment later, so an end by `kill -9`
//! loses at most the run in flight; a loss of power may lose the last runs (`synchronous=NORMAL`), never the
//! database. That only one daemon has a state directory is for the caller to see to. Columns: docs/SCHEMA.md.
//!
//! Opening reads the schema alone. Damage further in shows when it is read: a full check of a database of
//! many gigabytes would take minutes of every start.

mod ballast;
mod bytes;
mod column;
mod error;
mod experiment;
mod explained;
mod insert;
mod list;
mod migrations;
mod read;
mod remove;
mod rows;
mod scope;
mod spool;
mod write;

#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub(crate) use error::StoreError;
pub(crate) use experiment::{FinishedCell, NewCell, NewExperiment};
pub(crate) use read::Reader;
pub(crate) use remove::Removal;
pub(crate) use scope::Scope;
pub(crate) use write::{Recording, Writer};

/// Name of the database in the state directory.
const FILE_NAME: &str = "wbd.db";
/// How long one writer waits for another; none holds the database for longer than a fraction of this.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// What is left of the log's file after a checkpoint, in bytes.
const LOG_LIMIT_BYTES: i64 = 16 << 20;
/// Pages in the log before they are moved to the database, which waits for the disk: some 3,000 runs. On a full disk the
/// [`ballast`] must have room for as many.
const CHECKPOINT_PAGES: i64 = 1000;

/// Where the store is. Connections are made from it, one for each thread that needs one.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    file: PathBuf,
}

impl Store {
    /// Opens the store in `state_dir`, making both where they are absent, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// The directory cannot be used, or the database is damaged, of a newer program, or finds no room.
    pub(crate) fn open(state_dir: &Path) -> Result<Self, StoreError> {
        make_private_directory(state_dir).map_err(|error| StoreError::of_path(state_dir, error))?;
        let file = state_dir.join(FILE_NAME);
        make_private_file(&file).map_err(|error| StoreError::of_path(&file, error))?;
        let store = Self { file };
        match store.prepare() {
            Err(StoreError::Full { .. }) if ballast::give_up(&store.file) => store.prepare()?,
            prepared => prepared?,
        }
        ballast::take(&store.file);
        Ok(store)
    }

    fn prepare(&self) -> Result<(), StoreError> {
        let mut connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        use_log(&connection).map_err(|error| self.error(error))?;
        migrations::migrate(&mut connection, &self.file)?;
        Writer::new(self.clone(), connection).recover().map(drop)
    }

    /// A connection that writes.
    ///
    /// # Errors
    ///
    /// The database cannot be opened.
    pub(crate) fn writer(&self) -> Result<Writer, StoreError> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Ok(Writer::new(self.clone(), connection))
    }

    /// A connection that reads what `scope` may see.
    ///
    /// # Errors
    ///
    /// The database cannot be opened.
    pub(crate) fn reader(&self, scope: Scope) -> Result<Reader, StoreError> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Reader::new(self.clone(), connection, scope))
    }

    fn connect(&self, access: OpenFlags) -> Result<Connection, StoreError> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.file, flags)
            .and_then(configure)
            .map_err(|error| self.error(error))
    }

    fn error(&self, source: rusqlite::Error) -> StoreError {
        StoreError::new(&self.file, source)
    }
}

fn make_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// SQLite would make the file readable by all; its log takes the permissions of the database.
fn make_private_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map(drop)
}

fn configure(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT_BYTES)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(connection)
}

/// The mode stays with the file; a file system without shared memory keeps the rollback journal.
fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")
}
