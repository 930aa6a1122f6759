//! Which cells are held against each other.

use wbd_model::compare::ComparedCell;
use wbd_model::{Cell, CellName, CellRef, Experiment};

/// What is on one side of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// How it was named.
    pub name: &'a CellRef,
    /// The experiment of that name, with its runs.
    pub experiment: &'a Experiment,
}

/// Two names have nothing that could be compared.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpaired {
    /// No such cell.
    #[error("`{name}` names no cell; experiment {experiment} has {cells}")]
    Unknown {
        /// How it was named.
        name: CellRef,
        /// The experiment's name.
        experiment: String,
        /// Its cells.
        cells: String,
    },
    /// Several such cells.
    #[error("`{name}` names several cells; give the number of one of {cells}")]
    Ambiguous {
        /// How they were named.
        name: CellRef,
        /// They by number, with what tells them apart.
        cells: String,
    },
    /// No target with the same workload and arguments in both.
    #[error(
        "`{a}` and `{b}` have no cell in common (target, workload and arguments): name two cells, such as `{a}:0` and `{b}:0`"
    )]
    NothingInCommon {
        /// The one.
        a: Box<CellRef>,
        /// The other.
        b: Box<CellRef>,
    },
}

/// A cell, and where it is from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of<'a> {
    experiment: &'a Experiment,
    number: usize,
    pub(super) cell: &'a Cell,
}

impl Of<'_> {
    pub(super) fn name(&self) -> ComparedCell {
        ComparedCell {
            experiment: self.experiment.experiment.clone(),
            number: self.number,
            target: self.cell.target.clone(),
            workload: self.cell.workload.clone(),
            args: self.cell.args.clone(),
            size: self.cell.size,
        }
    }

    pub(super) fn does_as(&self, other: &Self) -> bool {
        (&self.cell.workload, &self.cell.args) == (&other.cell.workload, &other.cell.args)
    }
}

/// A cell and the one that is held against it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Two<'a> {
    pub(super) a: Of<'a>,
    pub(super) b: Of<'a>,
}

impl Two<'_> {
    /// Whether their runs were made in turns.
    pub(super) fn interleaved(&self) -> bool {
        self.a.experiment.experiment == self.b.experiment.experiment
    }

    /// Whether both are one.
    pub(super) fn is_one(&self) -> bool {
        self.interleaved() && self.a.number == self.b.number
    }
}

/// How many cells of each side have no pair, where whole experiments were named.
pub(super) fn without_partner(a: &Side, b: &Side, paired: &[Two]) -> [usize; 2] {
    if a.name.cell.is_some() || b.name.cell.is_some() {
        return [0; 2];
    }
    [a, b].map(|side| side.experiment.cells.len().saturating_sub(paired.len()))
}

/// One cell against one, or all that both sides have.
pub(super) fn pair<'a>(a: &Side<'a>, b: &Side<'a>) -> Result<Vec<Two<'a>>, Unpaired> {
    let (of_a, of_b) = (cells(a)?, cells(b)?);
    if let ([a], [b]) = (&of_a[..], &of_b[..]) {
        return Ok(vec![Two { a: *a, b: *b }]);
    }
    let same = |a: &Of<'a>| {
        let b = of_b
            .iter()
            .find(|b| a.cell.target == b.cell.target && a.does_as(b))?;
        Some(Two { a: *a, b: *b })
    };
    let pairs: Vec<Two> = of_a.iter().filter_map(same).collect();
    if pairs.is_empty() {
        return Err(Unpaired::NothingInCommon {
            a: a.name.clone().into(),
            b: b.name.clone().into(),
        });
    }
    Ok(pairs)
}

/// The one cell that a side names.
///
/// # Errors
///
/// It names none, or several.
pub fn one<'a>(side: &Side<'a>) -> Result<(ComparedCell, &'a Cell), Unpaired> {
    match &cells(side)?[..] {
        [of] => Ok((of.name(), of.cell)),
        several => Err(Unpaired::Ambiguous {
            name: side.name.clone(),
            cells: numbered(several),
        }),
    }
}

fn cells<'a>(side: &Side<'a>) -> Result<Vec<Of<'a>>, Unpaired> {
    let experiment = side.experiment;
    let all = (0..).zip(&experiment.cells).map(|(number, cell)| Of {
        experiment,
        number,
        cell,
    });
    let Some(name) = &side.name.cell else {
        return Ok(all.collect());
    };
    let named: Vec<Of> = all.filter(|of| is_called(of, name)).collect();
    match named.len() {
        0 => Err(Unpaired::Unknown {
            name: side.name.clone(),
            experiment: experiment.experiment.clone(),
            cells: listed(experiment.cells.iter()),
        }),
        1 => Ok(named),
        _ => Err(Unpaired::Ambiguous {
            name: side.name.clone(),
            cells: numbered(&named),
        }),
    }
}

fn is_called(of: &Of, name: &CellName) -> bool {
    match name {
        CellName::Number(number) => of.number == *number,
        CellName::Content { target, workload } => (target, workload) == (&of.cell.target, &of.cell.workload),
    }
}

fn listed<'a>(cells: impl Iterator<Item = &'a Cell>) -> String {
    let names: Vec<String> = cells
        .map(|cell| format!("{}/{}", cell.target, cell.workload))
        .collect();
    names.join(", ")
}

fn numbered(cells: &[Of]) -> String {
    let names: Vec<String> = cells
        .iter()
        .map(|of| format!("{} ({})", of.number, of.cell.args.join(" ")))
        .collect();
    names.join(", ")
}
