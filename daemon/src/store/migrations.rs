//! Brings a database to the schema of this program: every step in order, each in a transaction.
//!
//! The version is SQLite's `user_version`: the number of steps done. A step is never edited once released;
//! a change is a new step at the end. There is no way back: an older program refuses a newer database.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

const STEPS: [&str; 4] = [
    include_str!("migrations/0001_experiments.sql"),
    include_str!("migrations/0002_explanations.sql"),
    include_str!("migrations/0003_bytes.sql"),
    include_str!("migrations/0004_threads.sql"),
];

/// The latest version this program knows.
const KNOWN: i64 = STEPS.len() as i64;

pub(super) fn migrate(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let explain = |error| StoreError::new(file, error);
    let found = version(connection).map_err(explain)?;
    let done = match usize::try_from(found) {
        Ok(done) if found <= KNOWN => done,
        _ => return Err(refusal(file, found)),
    };
    for (number, step) in STEPS.iter().enumerate().skip(done) {
        apply(connection, number + 1, step).map_err(explain)?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn apply(connection: &mut Connection, version: usize, step: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

fn refusal(file: &Path, found: i64) -> StoreError {
    let file = file.to_owned();
    if found < 0 {
        let detail = format!("its schema version is {found}");
        return StoreError::Damaged { file, detail };
    }
    StoreError::Newer {
        file,
        found,
        known: KNOWN,
    }
}
