//! Reading: what the API answers from.
//!
//! A finished experiment carries its summaries, so its document does not touch its runs. One that is
//! running or was cut short has none: its cells count their runs and say nothing else until the caller
//! sums up [`Reader::each_sample`].

use rusqlite::{Connection, OptionalExtension as _};
use wbd_model::request::Explanations;
use wbd_model::{Experiment, ExperimentLine, Metric, RunRequest, Sample};

use super::column::{Json, Word};
use super::{Scope, Store, StoreError, bytes, explained, list, rows};

/// A connection that reads what its scope may see.
#[derive(Debug)]
pub(crate) struct Reader {
    store: Store,
    connection: Connection,
    scope: Scope,
}

/// An experiment as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    /// Its document.
    pub(crate) experiment: Experiment,
    /// Whether every cell carries its summaries; where not, the caller makes them from the runs.
    pub(crate) summed_up: bool,
}

impl Reader {
    pub(super) fn new(store: Store, connection: Connection, scope: Scope) -> Self {
        Self {
            store,
            connection,
            scope,
        }
    }

    /// Every experiment, the newest first.
    ///
    /// # Errors
    ///
    /// As every method here: the database is damaged, or another error of SQLite.
    pub(crate) fn list(&self) -> Result<Vec<ExperimentLine>, StoreError> {
        self.explain(list::lines(&self.connection, self.scope))
    }

    /// The experiment of this name, or the newest for `latest`; with its runs where they are wanted.
    pub(crate) fn experiment(&self, name: &str, with_samples: bool) -> Result<Option<Stored>, StoreError> {
        self.explain(self.read_experiment(name, with_samples))
    }

    /// What was asked for when the experiment was made, and the user who did.
    pub(crate) fn request(&self, name: &str) -> Result<Option<(RunRequest, u32)>, StoreError> {
        let query = "SELECT request, owner_uid FROM experiment WHERE id = ?";
        self.explain(self.scope.find(&self.connection, name).and_then(|id| {
            let row = self
                .connection
                .query_row(query, [id], |row| Ok((row.get::<_, Json<_>>(0)?.0, row.get(1)?)));
            row.optional()
        }))
    }

    /// What was explained of the experiment's cells, the newest first.
    pub(crate) fn explanations(&self, name: &str) -> Result<Option<Explanations>, StoreError> {
        self.explain(self.scope.find(&self.connection, name).and_then(|id| {
            let read = |id: i64| {
                Ok(Explanations {
                    experiment: id.to_string(),
                    explanations: explained::of_experiment(&self.connection, id)?,
                })
            };
            id.map(read).transpose()
        }))
    }

    /// Bytes that the experiments take; one that is running is counted when it ends.
    pub(crate) fn stored_bytes(&self) -> Result<u64, StoreError> {
        self.explain(bytes::of(&self.connection, self.scope.owner()))
    }

    /// Gives the runs of a cell by its number to `take`, in their order within the cell; none where there is no such cell.
    pub(crate) fn each_sample(
        &self,
        name: &str,
        cell: usize,
        mut take: impl FnMut(Sample),
    ) -> Result<(), StoreError> {
        let mut take_all = |sample| {
            take(sample);
            true
        };
        self.explain(self.find_cell(name, cell).and_then(|cell| match cell {
            Some(cell) => rows::each_sample(&self.connection, cell, &mut take_all).map(drop),
            None => Ok(()),
        }))
    }

    /// The runs of a cell.
    #[cfg(test)]
    pub(crate) fn samples(&self, name: &str, cell: usize) -> Result<Vec<Sample>, StoreError> {
        let mut samples = Vec::new();
        self.each_sample(name, cell, |sample| samples.push(sample))?;
        Ok(samples)
    }

    /// Gives all runs of an experiment to `take` with their cell's number, in order, as long as it says that it takes
    /// more; false where there is no such experiment.
    pub(crate) fn each_run(
        &self,
        name: &str,
        mut take: impl FnMut(usize, Sample) -> bool,
    ) -> Result<bool, StoreError> {
        let mut read = || {
            let snapshot = self.connection.unchecked_transaction()?;
            let Some(id) = self.scope.find(&snapshot, name)? else {
                return Ok(false);
            };
            for (number, cell) in rows::cells(&snapshot, id)?.into_iter().enumerate() {
                if !rows::each_sample(&snapshot, cell.id, |sample| take(number, sample))? {
                    break;
                }
            }
            Ok(true)
        };
        self.explain(read())
    }

    /// The serialised histogram of a metric of a cell by its number.
    pub(crate) fn histogram(
        &self,
        name: &str,
        cell: usize,
        metric: Metric,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let query = "SELECT hdr FROM histogram WHERE cell = ? AND metric = ?";
        self.explain(self.find_cell(name, cell).and_then(|cell| {
            let bytes = self
                .connection
                .query_row(query, (cell, Word(metric)), |row| row.get(0));
            bytes.optional()
        }))
    }

    fn explain<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| self.store.error(error))
    }

    /// All of it in one transaction, so that it is of one moment.
    fn read_experiment(&self, name: &str, with_samples: bool) -> rusqlite::Result<Option<Stored>> {
        let snapshot = self.connection.unchecked_transaction()?;
        let Some(id) = self.scope.find(&snapshot, name)? else {
            return Ok(None);
        };
        let mut experiment = rows::experiment(&snapshot, id)?;
        let mut summed_up = true;
        for mut cell in rows::cells(&snapshot, id)? {
            summed_up &= cell.summed_up;
            if with_samples {
                cell.document.samples = rows::samples(&snapshot, cell.id)?;
            }
            experiment.cells.push(cell.document);
        }
        Ok(Some(Stored {
            experiment,
            summed_up,
        }))
    }

    fn find_cell(&self, name: &str, number: usize) -> rusqlite::Result<Option<i64>> {
        let experiment = self.scope.find(&self.connection, name)?;
        self.connection
            .prepare_cached("SELECT id FROM cell WHERE experiment = ? AND number = ?")?
            .query_row((experiment, number), |row| row.get(0))
            .optional()
    }
}
