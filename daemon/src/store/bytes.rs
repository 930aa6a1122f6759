//! How much of the store an experiment takes, and a user's experiments together.
//!
//! It is the length of what the rows hold, and a fixed sum for each run: SQLite's own pages are fuller or emptier, by a
//! third at most.

use rusqlite::Connection;

/// Bytes of a run beside its texts: numbers, and its places in two indexes.
pub(super) const ROW: u64 = 64;

/// Counts an experiment's bytes anew, from all its rows.
pub(super) fn count(connection: &Connection, experiment: i64) -> rusqlite::Result<()> {
    const ALL: &str = "
        UPDATE experiment SET bytes =
            octet_length(request) + octet_length(machine) + octet_length(warnings)
            + (SELECT coalesce(sum(octet_length(args) + coalesce(octet_length(summary), 0)), 0)
               FROM cell WHERE experiment = ?1)
            + (SELECT coalesce(sum(octet_length(exit) + octet_length(instants) + octet_length(metrics)
                                   + octet_length(notes) + ?2), 0)
               FROM sample WHERE cell IN (SELECT id FROM cell WHERE experiment = ?1))
            + (SELECT coalesce(sum(octet_length(hdr)), 0)
               FROM histogram WHERE cell IN (SELECT id FROM cell WHERE experiment = ?1))
            + (SELECT coalesce(sum(octet_length(document)), 0)
               FROM explanation WHERE a IN (SELECT id FROM cell WHERE experiment = ?1))
        WHERE id = ?1";
    connection.execute(ALL, (experiment, ROW)).map(drop)
}

/// Counts those of the experiments that were never counted: their daemon was killed, or older.
pub(super) fn count_all_uncounted(connection: &Connection) -> rusqlite::Result<()> {
    let mut uncounted = connection.prepare("SELECT id FROM experiment WHERE bytes = 0")?;
    let uncounted = uncounted.query_map((), |row| row.get(0))?;
    let uncounted = uncounted.collect::<rusqlite::Result<Vec<i64>>>()?;
    uncounted
        .into_iter()
        .try_for_each(|experiment| count(connection, experiment))
}

/// Bytes of all experiments of a user; of everybody's where there is no user.
pub(super) fn of(connection: &Connection, owner: Option<u32>) -> rusqlite::Result<u64> {
    let sum = "SELECT coalesce(sum(bytes), 0) FROM experiment WHERE ?1 IS NULL OR owner_uid = ?1";
    connection.query_row(sum, [owner], |row| row.get(0))
}
