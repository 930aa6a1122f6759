//! Writing: an experiment begins, its runs are recorded one by one, it finishes.

use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use wbd_model::document::State;
use wbd_model::request::KeptExplanation;
use wbd_model::{Metric, Sample};

use super::column::{Json, Word};
use super::spool::{Row, Spool};
use super::{
    FinishedCell, NewExperiment, Removal, Scope, Store, StoreError, ballast, bytes, explained, insert, remove,
};

/// Runs that wait in the spool at most.
const MOST_WAITING: usize = 256;
/// How long a run waits in the spool at most, while others are made.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// An experiment under way: where its runs are recorded.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(super) experiment: i64,
    pub(super) cells: Vec<i64>,
}

impl Recording {
    /// The experiment's name; no other ever had it or will have it.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        self.experiment.to_string()
    }
}

/// A connection that writes. Several may be open; each waits for the other's transaction.
#[derive(Debug)]
pub(crate) struct Writer {
    store: Store,
    pub(super) connection: Connection,
    /// Where runs are recorded first, once an experiment has begun.
    spool: Option<Spool>,
    /// What is in the spool and not yet in the database.
    waiting: Vec<Row>,
    last_flush: Instant,
}

impl Writer {
    pub(super) fn new(store: Store, connection: Connection) -> Self {
        Self {
            store,
            connection,
            spool: None,
            waiting: Vec::new(),
            last_flush: Instant::now(),
        }
    }

    /// Brings what a spool was left with into the database, and keeps the spool open.
    pub(super) fn recover(&mut self) -> Result<(), StoreError> {
        let (spool, left) = Spool::open(&self.store.file)?;
        self.spool = Some(spool);
        self.waiting = left;
        self.flush()
    }

    /// Begins an experiment, in state running.
    ///
    /// # Errors
    ///
    /// As every method here: the database finds no room, is damaged, or another error of SQLite.
    pub(crate) fn begin_experiment(&mut self, new: &NewExperiment) -> Result<Recording, StoreError> {
        self.recover()?;
        self.transact(|transaction| insert::experiment(transaction, new))
    }

    /// Records a run of the cell of this number, and returns the bytes it takes. Once this returns, no end of the
    /// process loses it.
    ///
    /// # Panics
    ///
    /// Where the experiment was begun without such a cell.
    pub(crate) fn record(
        &mut self,
        recording: &Recording,
        cell: usize,
        sample: &Sample,
    ) -> Result<u64, StoreError> {
        let row = self.row(recording, cell, sample)?;
        let bytes = row.bytes();
        if let Some(spool) = &mut self.spool {
            spool.append(&row)?;
        }
        self.waiting.push(row);
        let is_due = self.waiting.len() >= MOST_WAITING || self.last_flush.elapsed() >= LONGEST_WAIT;
        if is_due {
            self.flush()?;
        }
        Ok(bytes)
    }

    fn row(&self, recording: &Recording, cell: usize, sample: &Sample) -> Result<Row, StoreError> {
        let row = Row::new(recording.cells[cell], sample);
        row.map_err(|error| {
            self.store
                .error(rusqlite::Error::ToSqlConversionFailure(error.into()))
        })
    }

    /// Brings the runs that wait into the database. Where it fails they go on waiting.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        self.last_flush = Instant::now();
        if self.waiting.is_empty() {
            return Ok(());
        }
        let Self {
            connection, waiting, ..
        } = self;
        let inserted = transact(connection, |transaction| {
            waiting
                .iter()
                .try_for_each(|row| insert::sample(transaction, row))
        });
        inserted.map_err(|error| self.store.error(error))?;
        self.waiting.clear();
        self.spool.as_mut().map_or(Ok(()), Spool::clear)
    }

    /// The same, with the room that was kept back where there is no other.
    pub(crate) fn flush_at_all_costs(&mut self) -> Result<(), StoreError> {
        match self.flush() {
            Err(StoreError::Full { .. }) if ballast::give_up(&self.store.file) => {
                fold_log(&self.connection).map_err(|error| self.store.error(error))?;
                self.flush()
            }
            flushed => flushed,
        }
    }

    /// Records runs, all or none; for tests that need many.
    ///
    /// # Panics
    ///
    /// As [`Writer::record`].
    #[cfg(test)]
    pub(crate) fn record_batch(
        &mut self,
        recording: &Recording,
        runs: &[(usize, Sample)],
    ) -> Result<(), StoreError> {
        let rows = runs
            .iter()
            .map(|(cell, sample)| self.row(recording, *cell, sample));
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        self.transact(|transaction| rows.iter().try_for_each(|row| insert::sample(transaction, row)))
    }

    /// Notes why a metric of a cell cannot be measured; the first reason stays.
    ///
    /// # Panics
    ///
    /// As [`Writer::record`].
    pub(crate) fn record_unavailable(
        &self,
        recording: &Recording,
        cell: usize,
        metric: Metric,
        why: &str,
    ) -> Result<(), StoreError> {
        let noted = self.connection.execute(
            "INSERT INTO unavailable (cell, metric, why) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (recording.cells[cell], Word(metric), why),
        );
        noted.map(drop).map_err(|error| self.store.error(error))
    }

    /// Sets what the reader of an experiment should know, in place of what was told when it began.
    pub(crate) fn tell(&mut self, recording: &Recording, warnings: &[String]) -> Result<(), StoreError> {
        self.insist(|connection| {
            let change = "UPDATE experiment SET warnings = ? WHERE id = ?";
            connection
                .execute(change, (Json(warnings), recording.experiment))
                .map(drop)
        })
    }

    /// Ends an experiment. `cells` are by their number; one that is not given is later summed up from its runs. Runs that
    /// find no room even now stay in the spool.
    pub(crate) fn finish(
        &mut self,
        recording: &Recording,
        state: State,
        cells: &[FinishedCell],
    ) -> Result<(), StoreError> {
        if let Err(error) = self.flush_at_all_costs() {
            tracing::warn!("{} runs wait until there is room: {error}", self.waiting.len());
        }
        self.insist(|connection| {
            transact(connection, |transaction| {
                insert::end(transaction, recording, state, cells)
            })
        })
    }

    /// Keeps the explanation of two cells, in place of the last one of the same two.
    pub(crate) fn keep_explanation(&mut self, kept: &KeptExplanation) -> Result<(), StoreError> {
        self.transact(|transaction| explained::keep(transaction, kept))
    }

    /// For the start of the daemon: marks what its predecessor left running, and completes its removals.
    pub(crate) fn interrupt_unfinished(&mut self) -> Result<(), StoreError> {
        self.insist(|connection| {
            let change = "UPDATE experiment SET state = ?2 WHERE state = ?1";
            connection.execute(change, (Word(State::Running), Word(State::Interrupted)))?;
            bytes::count_all_uncounted(connection)?;
            remove::complete(connection)
        })
    }

    /// Removes an experiment with all that belongs to it. One that is running stays.
    pub(crate) fn remove(&mut self, scope: Scope, name: &str) -> Result<Removal, StoreError> {
        let removal = self.insist(|connection| remove::remove(connection, scope, name))?;
        let _ = fold_log(&self.connection); // a reader may hold it back; else the log would keep the room
        ballast::take(&self.store.file);
        Ok(removal)
    }

    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        transact(&mut self.connection, work).map_err(|error| self.store.error(error))
    }

    /// Does what must be possible on a full disk too: with the room that was kept back for it.
    fn insist<T>(&mut self, work: impl Fn(&mut Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let done = work(&mut self.connection).map_err(|error| self.store.error(error));
        if !matches!(done, Err(StoreError::Full { .. })) || !ballast::give_up(&self.store.file) {
            return done;
        }
        fold_log(&self.connection)
            .and_then(|()| work(&mut self.connection))
            .map_err(|error| self.store.error(error))
    }
}

/// Brings what the log holds into the database and gives back the log's room.
fn fold_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let made = work(&transaction)?;
    transaction.commit()?;
    Ok(made)
}
