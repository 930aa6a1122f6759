//! Room kept back for the day the disk is full.
//!
//! To end an experiment, or to remove one, rows must be written: on a full disk the very acts that mend it
//! would fail. So a file beside the database takes up room and is given up when one of them finds none.
//! Where the file cannot be made the store works as well, until the disk is full.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::posix_fallocate;

/// More than the log holds of pages new to the database when it is next folded in.
const BYTES: i64 = 5 << 20;

/// Takes up the room, or what is missing of it.
pub(super) fn take(database: &Path) {
    if allocate(&database.with_extension("ballast")).is_err() {
        give_up(database);
    }
}

fn allocate(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    Ok(posix_fallocate(file, 0, BYTES)?)
}

/// Gives the room up; whether there was any.
pub(super) fn give_up(database: &Path) -> bool {
    fs::remove_file(database.with_extension("ballast")).is_ok()
}
