//! How a person names a cell: `EXPERIMENT:TARGET/WORKLOAD` or `EXPERIMENT:N`.

use std::fmt;
use std::str::FromStr;

/// A reference to one cell of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellRef {
    /// The experiment's name.
    pub experiment: String,
    /// Which of its cells.
    pub cell: CellName,
}

/// Which cell of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellName {
    /// By its number, from 0.
    Number(usize),
    /// By target and workload.
    Pair {
        /// Name of the target.
        target: String,
        /// Name of the workload.
        workload: String,
    },
}

/// The text names no cell.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no cell; write EXPERIMENT:TARGET/WORKLOAD or EXPERIMENT:N")]
pub struct NotACell(String);

impl FromStr for CellRef {
    type Err = NotACell;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || NotACell(text.to_owned());
        let (experiment, cell) = text.split_once(':').ok_or_else(fail)?;
        let cell = match cell.split_once('/') {
            Some((target, workload)) if !target.is_empty() && !workload.is_empty() => CellName::Pair {
                target: target.to_owned(),
                workload: workload.to_owned(),
            },
            Some(_) => return Err(fail()),
            None => CellName::Number(cell.parse().map_err(|_| fail())?),
        };
        if experiment.is_empty() {
            return Err(fail());
        }
        Ok(Self {
            experiment: experiment.to_owned(),
            cell,
        })
    }
}

impl fmt::Display for CellRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cell {
            CellName::Number(number) => write!(f, "{}:{number}", self.experiment),
            CellName::Pair { target, workload } => write!(f, "{}:{target}/{workload}", self.experiment),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_pairs_are_told_apart() {
        assert_eq!("7:3".parse::<CellRef>().unwrap().cell, CellName::Number(3));
        let pair = "7:native/empty".parse::<CellRef>().unwrap().cell;
        assert_eq!(
            pair,
            CellName::Pair {
                target: "native".into(),
                workload: "empty".into()
            }
        );
    }

    #[test]
    fn what_names_no_cell_is_refused() {
        for text in [
            "",
            ":",
            "7",
            "7:",
            ":3",
            "7:/empty",
            "7:native/",
            "7:-1",
            ":native/empty",
        ] {
            assert!(text.parse::<CellRef>().is_err(), "{text:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused_and_what_is_taken_prints_back(text in ".*") {
            if let Ok(cell) = text.parse::<CellRef>() {
                prop_assert_eq!(cell.to_string().parse::<CellRef>(), Ok(cell));
            }
        }
    }
}
