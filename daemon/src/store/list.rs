//! The listing: one line for each experiment, made of its cells.

use rusqlite::{Connection, Row};
use wbd_model::ExperimentLine;

use super::Scope;
use super::column::Word;

/// A finished cell holds the number of its runs; those of another are counted in indexes.
const QUERY: &str = "
    SELECT e.id, e.created, e.state, c.target, c.workload,
           coalesce(c.valid + c.failed, (SELECT count(*) FROM sample s WHERE s.cell = c.id)),
           coalesce(c.failed, (SELECT count(*) FROM sample s WHERE s.cell = c.id AND s.valid = 0))
    FROM experiment e JOIN cell c ON c.experiment = e.id
    WHERE e.removed = 0 AND (?1 IS NULL OR e.owner_uid = ?1)
    ORDER BY e.id DESC, c.number";

/// Every experiment, the newest first.
pub(super) fn lines(connection: &Connection, scope: Scope) -> rusqlite::Result<Vec<ExperimentLine>> {
    let mut query = connection.prepare_cached(QUERY)?;
    let cells = query.query_map([scope.owner()], line_of_cell)?;
    let mut lines: Vec<ExperimentLine> = Vec::new();
    for cell in cells {
        let cell = cell?;
        match lines.last_mut() {
            Some(line) if line.experiment == cell.experiment => join(line, cell),
            _ => lines.push(cell),
        }
    }
    Ok(lines)
}

/// A cell as an experiment of its own.
fn line_of_cell(row: &Row<'_>) -> rusqlite::Result<ExperimentLine> {
    Ok(ExperimentLine {
        experiment: row.get::<_, i64>(0)?.to_string(),
        created: row.get(1)?,
        state: row.get::<_, Word<_>>(2)?.0,
        targets: vec![row.get(3)?],
        workloads: vec![row.get(4)?],
        runs: row.get(5)?,
        failed: row.get(6)?,
    })
}

fn join(line: &mut ExperimentLine, cell: ExperimentLine) {
    add_new(&mut line.targets, cell.targets);
    add_new(&mut line.workloads, cell.workloads);
    line.runs += cell.runs;
    line.failed += cell.failed;
}

fn add_new(names: &mut Vec<String>, more: Vec<String>) {
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}
