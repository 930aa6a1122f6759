//! What can go wrong with the store, in sentences that end with what to do.
//!
//! Three kinds matter to a caller: [`StoreError::Full`] ends an experiment and keeps its finished runs,
//! [`StoreError::Damaged`] and [`StoreError::Newer`] end the daemon. The rest are told as they are.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Error, ErrorCode, ffi};

/// The store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The state directory cannot be used.
    #[error(
        "cannot use {path} to keep experiments: {source}; run wbd as root, or name another directory with --state",
        path = .path.display()
    )]
    Directory {
        /// The directory, or the file in it.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file is no database, or its content contradicts itself.
    #[error(
        "the store {file} is damaged: {detail}; stop wbd, move the file aside with those beside it \
         ({file}-wal, {file}-shm) and start again with an empty store, or put a copy in its place",
        file = .file.display()
    )]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The database is of a later version of the program.
    #[error(
        "the store {file} was written by a newer wbd (its schema is {found}, this one knows up to {known}); \
         run that version, or name another directory with --state",
        file = .file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Version of its schema.
        found: i64,
        /// The latest version this program knows.
        known: i64,
    },
    /// The file system has no room left, or the database reached its limit.
    #[error(
        "no room left to write {file}; what was written before is kept; free some space \
         or remove experiments (`wbctl rm`)",
        file = .file.display()
    )]
    Full {
        /// The database.
        file: PathBuf,
    },
    /// Anything else.
    #[error("the store {file} failed: {source}", file = .file.display())]
    Sqlite {
        /// The database.
        file: PathBuf,
        /// What SQLite said.
        source: Error,
    },
}

impl StoreError {
    pub(super) fn of_path(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull => Self::Full { file: path },
            _ => Self::Directory { path, source },
        }
    }

    pub(super) fn new(file: &Path, source: Error) -> Self {
        let file = file.to_owned();
        if is_full(&source) {
            Self::Full { file }
        } else if is_damage(&source) {
            let detail = source.to_string();
            Self::Damaged { file, detail }
        } else {
            Self::Sqlite { file, source }
        }
    }
}

/// The index of the write-ahead log lives in a file of its own, for which a full disk is an I/O error.
fn is_full(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMSIZE)
}

fn is_damage(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    )
}
