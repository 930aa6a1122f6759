//! Startup split into phases: one row per cell, one column per instant that ends a phase of any of them.
//!
//! A figure is the time from the figure before it in its row: a native program's `exec` counts from its
//! `launch`, a container's from `cgroup_made`. That keeps targets as different as these in one table.

use std::collections::BTreeSet;

use wbd_model::{Cell, InstantName};

use super::table::{left, right, table};
use super::units::duration;
use super::{NOT_APPLICABLE, workload};

/// The table, or nothing where no cell has phases.
pub(crate) fn draw(cells: &[Cell]) -> String {
    let ends = ends(cells);
    if ends.is_empty() {
        return String::new();
    }
    let names = [left("target"), left("workload")];
    let headings: Vec<_> = names
        .into_iter()
        .chain(ends.iter().map(|end| right(&heading(*end))))
        .collect();
    let row = |cell: &Cell| {
        let lengths = ends.iter().map(|&end| length(cell, end));
        [cell.target.clone(), workload(&cell.workload, cell.size)]
            .into_iter()
            .chain(lengths)
            .collect()
    };
    let rows = cells
        .iter()
        .filter(|cell| !cell.phases.is_empty())
        .map(row)
        .collect();
    format!(
        "\nstartup by phase: from launch to each instant, since the one before it in the row\n{}\
         each is a median by itself: they need not add up to the median of startup\n",
        table(&headings, rows)
    )
}

/// The instants up to the guest's first instruction. One that no cell takes time to reach is a second name for
/// the one before it, such as a native program's `guest` for its `entry`.
fn ends(cells: &[Cell]) -> BTreeSet<InstantName> {
    let phases = cells.iter().flat_map(|cell| &cell.phases);
    phases
        .filter(|phase| phase.to <= InstantName::Guest && phase.ns > 0)
        .map(|phase| phase.to)
        .collect()
}

/// The instant's name on two lines, so that its column is narrow.
fn heading(end: InstantName) -> String {
    end.as_str().replacen('_', "\n", 1)
}

fn length(cell: &Cell, end: InstantName) -> String {
    let phase = cell.phases.iter().find(|phase| phase.to == end);
    phase.map_or_else(|| NOT_APPLICABLE.to_owned(), |phase| duration(phase.ns))
}

#[cfg(test)]
mod tests {
    use super::super::specimen;
    use super::super::table::tests::assert_aligned;
    use super::*;

    #[test]
    fn the_columns_are_the_instants_of_all_cells_up_to_the_guest() {
        let cells = specimen::experiment().cells;
        let all = ends(&cells);
        for end in [
            InstantName::Exec,
            InstantName::Created,
            InstantName::ModuleReady,
            InstantName::Guest,
        ] {
            assert!(all.contains(&end), "{end}");
        }
        assert!(all.iter().all(|end| *end <= InstantName::Guest), "{all:?}");
        assert!(
            !ends(&cells[..1]).contains(&InstantName::Guest),
            "it is the native program's entry"
        );
    }

    #[test]
    fn every_row_is_a_chain_from_launch() {
        let drawn = draw(&specimen::experiment().cells);
        println!("{drawn}");
        let table: Vec<&str> = drawn.lines().skip(2).take(6).collect();
        assert_aligned(&table.join("\n"));
        let native: Vec<&str> = table[3].split_whitespace().collect();
        assert_eq!(
            native[..9],
            ["native", "empty", "·", "·", "·", "·", "·", "310", "us"]
        );
    }

    #[test]
    fn no_phases_no_table() {
        assert_eq!(draw(&[]), "");
    }
}
