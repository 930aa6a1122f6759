//! Explanations: of each pair of cells the last one, until one of the two is removed.

use rusqlite::{Connection, OptionalExtension as _};
use wbd_model::compare::ComparedCell;
use wbd_model::request::KeptExplanation;

use super::bytes;
use super::column::Json;

/// Keeps an explanation in place of an earlier one of the same pair. One of its cells may be gone by now: then there is
/// nothing to keep it with.
pub(super) fn keep(connection: &Connection, kept: &KeptExplanation) -> rusqlite::Result<()> {
    let explanation = &kept.explanation;
    let a = cell(connection, &explanation.a)?;
    let b = cell(connection, &explanation.b)?;
    let (Some(a), Some(b)) = (a, b) else {
        return Ok(());
    };
    connection.execute(
        "INSERT OR REPLACE INTO explanation (a, b, created, document) VALUES (?, ?, ?, ?)",
        (a, b, kept.created, Json(explanation)),
    )?;
    let of_a = "SELECT experiment FROM cell WHERE id = ?";
    bytes::count(connection, connection.query_row(of_a, [a], |row| row.get(0))?)
}

fn cell(connection: &Connection, named: &ComparedCell) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT c.id FROM cell c JOIN experiment e ON e.id = c.experiment
             WHERE e.removed = 0 AND e.id = CAST(? AS INTEGER) AND c.number = ?",
        )?
        .query_row((&named.experiment, named.number), |row| row.get(0))
        .optional()
}

/// Those in which a cell of this experiment is one of the two, the newest first.
pub(super) fn of_experiment(
    connection: &Connection,
    experiment: i64,
) -> rusqlite::Result<Vec<KeptExplanation>> {
    let mut query = connection.prepare_cached(
        "WITH own AS (SELECT id FROM cell WHERE experiment = ?)
         SELECT created, document FROM explanation
         WHERE a IN (SELECT id FROM own) OR b IN (SELECT id FROM own)
         ORDER BY id DESC",
    )?;
    let rows = query.query_map([experiment], |row| {
        Ok(KeptExplanation {
            created: row.get(0)?,
            explanation: row.get::<_, Json<_>>(1)?.0,
        })
    })?;
    rows.collect()
}
