//! From what the store is given to rows.

use rusqlite::Connection;
use wbd_model::document::State;

use super::column::{Json, Word};
use super::spool::Row;
use super::{FinishedCell, NewCell, NewExperiment, Recording, bytes};

pub(super) fn experiment(connection: &Connection, new: &NewExperiment) -> rusqlite::Result<Recording> {
    connection.execute(
        "INSERT INTO experiment (owner_uid, created, state, seed, request, machine, warnings)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            new.owner_uid,
            new.created,
            Word(State::Running),
            Word(new.seed),
            Json(&new.request),
            Json(&new.machine),
            Json(&new.warnings),
        ),
    )?;
    let experiment = connection.last_insert_rowid();
    let cells = new.cells.iter().enumerate();
    let cells = cells.map(|(number, new)| cell(connection, experiment, number, new));
    Ok(Recording {
        experiment,
        cells: cells.collect::<Result<_, _>>()?,
    })
}

fn cell(connection: &Connection, experiment: i64, number: usize, cell: &NewCell) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO cell (experiment, number, target, workload, args, cache, runs)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            experiment,
            number,
            &cell.target,
            &cell.workload,
            Json(&cell.args),
            &cell.cache,
            cell.runs,
        ),
    )?;
    Ok(connection.last_insert_rowid())
}

/// Inserts a run, where it is not there yet and its experiment still is: a spool may be read twice.
pub(super) fn sample(connection: &Connection, row: &Row) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO sample (cell, run, place, valid, exit, instants, metrics, notes, threads)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, nullif(?9, '') WHERE EXISTS (SELECT 1 FROM cell WHERE id = ?1)",
    )?;
    let [exit, instants, metrics, notes, threads] = &row.json;
    insert
        .execute((
            row.cell, row.run, row.place, row.valid, exit, instants, metrics, notes, threads,
        ))
        .map(drop)
}

pub(super) fn end(
    connection: &Connection,
    recording: &Recording,
    state: State,
    cells: &[FinishedCell],
) -> rusqlite::Result<()> {
    for (&cell, finished) in recording.cells.iter().zip(cells) {
        finish_cell(connection, cell, finished)?;
    }
    let end = "UPDATE experiment SET state = ? WHERE id = ?";
    connection.execute(end, (Word(state), recording.experiment))?;
    bytes::count(connection, recording.experiment)
}

fn finish_cell(connection: &Connection, cell: i64, finished: &FinishedCell) -> rusqlite::Result<()> {
    let summary = &finished.summary;
    connection.execute(
        "UPDATE cell SET valid = ?, failed = ?, summary = ? WHERE id = ?",
        (summary.valid, summary.failed, Json(summary), cell),
    )?;
    for (&metric, hdr) in &finished.histograms {
        connection.execute(
            "INSERT INTO histogram (cell, metric, hdr) VALUES (?, ?, ?)",
            (cell, Word(metric), hdr),
        )?;
    }
    Ok(())
}
