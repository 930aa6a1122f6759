//! From rows to the documents of the model.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};
use wbd_model::{Cell, Experiment, Metric, SCHEMA, Sample};

use super::column::{Json, Word};

/// A cell with what the document does not say.
pub(super) struct CellRow {
    pub(super) id: i64,
    pub(super) document: Cell,
    pub(super) summed_up: bool,
}

/// The experiment's document, its cells yet to come.
pub(super) fn experiment(connection: &Connection, id: i64) -> rusqlite::Result<Experiment> {
    connection
        .prepare_cached("SELECT created, state, seed, machine, warnings FROM experiment WHERE id = ?")?
        .query_row([id], |row| {
            Ok(Experiment {
                schema: SCHEMA,
                experiment: id.to_string(),
                created: row.get(0)?,
                state: row.get::<_, Word<_>>(1)?.0,
                seed: row.get::<_, Json<_>>(2)?.0,
                machine: row.get::<_, Json<_>>(3)?.0,
                cells: Vec::new(),
                warnings: row.get::<_, Json<_>>(4)?.0,
            })
        })
}

/// The cells of an experiment, by their number.
pub(super) fn cells(connection: &Connection, experiment: i64) -> rusqlite::Result<Vec<CellRow>> {
    let mut query = connection.prepare_cached(
        "SELECT id, summary, target, workload, args, cache, runs
         FROM cell WHERE experiment = ? ORDER BY number",
    )?;
    let rows = query.query_map([experiment], |row| cell(connection, row))?;
    rows.collect()
}

fn cell(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<CellRow> {
    let id = row.get(0)?;
    let summary: Option<Json<Cell>> = row.get(1)?;
    let summed_up = summary.is_some();
    let document = match summary {
        Some(Json(summary)) => summary,
        None => unfinished(connection, id, row)?,
    };
    Ok(CellRow {
        id,
        document,
        summed_up,
    })
}

fn unfinished(connection: &Connection, id: i64, row: &Row<'_>) -> rusqlite::Result<Cell> {
    let (made, failed) = count(connection, id)?;
    Ok(Cell {
        target: row.get(2)?,
        workload: row.get(3)?,
        args: row.get::<_, Json<_>>(4)?.0,
        size: None,
        disk: None,
        cache: row.get(5)?,
        runs: row.get(6)?,
        valid: made.saturating_sub(failed),
        failed,
        metrics: BTreeMap::new(),
        phases: Vec::new(),
        unavailable: unavailable(connection, id)?,
        samples: Vec::new(),
        failures: BTreeMap::new(),
        remarks: BTreeMap::new(),
        outliers: Vec::new(),
        outlier_causes: BTreeMap::new(),
    })
}

/// Runs made, and of these those that do not count; both counted in indexes.
fn count(connection: &Connection, cell: i64) -> rusqlite::Result<(u32, u32)> {
    connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM sample WHERE cell = ?1),
                    (SELECT count(*) FROM sample WHERE cell = ?1 AND valid = 0)",
        )?
        .query_row([cell], |row| row.try_into())
}

fn unavailable(connection: &Connection, cell: i64) -> rusqlite::Result<BTreeMap<Metric, String>> {
    let mut query = connection.prepare_cached("SELECT metric, why FROM unavailable WHERE cell = ?")?;
    let rows = query.query_map([cell], |row| Ok((row.get::<_, Word<_>>(0)?.0, row.get(1)?)))?;
    rows.collect()
}

/// The runs of a cell, in their order within it.
pub(super) fn samples(connection: &Connection, cell: i64) -> rusqlite::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    each_sample(connection, cell, |sample| {
        samples.push(sample);
        true
    })?;
    Ok(samples)
}

/// Gives the runs of a cell to `take`, in their order, as long as it says that it takes more; whether it took all.
pub(super) fn each_sample(
    connection: &Connection,
    cell: i64,
    mut take: impl FnMut(Sample) -> bool,
) -> rusqlite::Result<bool> {
    let mut query = connection.prepare_cached(
        "SELECT run, place, valid, exit, instants, metrics, notes, threads
         FROM sample WHERE cell = ? ORDER BY run",
    )?;
    for row in query.query_map([cell], sample)? {
        if !take(row?) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sample(row: &Row<'_>) -> rusqlite::Result<Sample> {
    Ok(Sample {
        run: row.get(0)?,
        order: row.get(1)?,
        valid: row.get(2)?,
        exit: row.get::<_, Json<_>>(3)?.0,
        instants: row.get::<_, Json<_>>(4)?.0,
        metrics: row.get::<_, Json<_>>(5)?.0,
        notes: row.get::<_, Json<_>>(6)?.0,
        threads: row
            .get::<_, Option<Json<_>>>(7)?
            .map_or_else(Vec::new, |Json(threads)| threads),
    })
}
