//! Removing an experiment.
//!
//! First it is marked, which hides it at once; then its runs go in pieces, so that a recording under way
//! never waits for long and the log stays small on a disk that may be full; at last the experiment itself.
//! A removal cut short is completed at the next start of the daemon.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use wbd_model::document::State;

use super::Scope;
use super::column::Word;

/// Runs that go in one transaction.
const PIECE: usize = 2000;

/// What became of an experiment that should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is gone.
    Removed,
    /// It is running: it must end first.
    Running,
    /// The caller sees no such experiment.
    Unknown,
}

pub(super) fn remove(connection: &mut Connection, scope: Scope, name: &str) -> rusqlite::Result<Removal> {
    let Some(id) = scope.find(connection, name)? else {
        return Ok(Removal::Unknown);
    };
    let hide = "UPDATE experiment SET removed = 1 WHERE id = ? AND state <> ?";
    if connection.execute(hide, (id, Word(State::Running)))? == 0 {
        return Ok(Removal::Running);
    }
    complete(connection).map(|()| Removal::Removed)
}

/// Takes away all that belongs to the experiments marked.
pub(super) fn complete(connection: &mut Connection) -> rusqlite::Result<()> {
    let next = "SELECT id FROM experiment WHERE removed = 1 LIMIT 1";
    while let Some(id) = connection.query_row(next, (), |row| row.get(0)).optional()? {
        for piece in samples(connection, id)?.chunks(PIECE) {
            delete_samples(connection, piece)?;
        }
        connection.execute("DELETE FROM experiment WHERE id = ?", [id])?;
    }
    Ok(())
}

/// The rows of an experiment's runs as they lie in the file: cells interleave there, so that to go cell by
/// cell would write every page once for each cell.
fn samples(connection: &Connection, experiment: i64) -> rusqlite::Result<Vec<i64>> {
    let mut query = connection
        .prepare("SELECT id FROM sample WHERE cell IN (SELECT id FROM cell WHERE experiment = ?)")?;
    let rows = query.query_map([experiment], |row| row.get(0))?;
    let mut samples = rows.collect::<rusqlite::Result<Vec<i64>>>()?;
    samples.sort_unstable();
    Ok(samples)
}

fn delete_samples(connection: &mut Connection, samples: &[i64]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut delete = transaction.prepare_cached("DELETE FROM sample WHERE id = ?")?;
    for sample in samples {
        delete.execute([sample])?;
    }
    drop(delete);
    transaction.commit()
}
