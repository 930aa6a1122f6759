//! The name of a cell, or of all cells of an experiment: `EXPERIMENT`, `EXPERIMENT:TARGET/WORKLOAD` or
//! `EXPERIMENT:N`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names one cell of an experiment, or all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CellRef {
    /// The experiment's name, or `latest`.
    pub experiment: String,
    /// The cell; all of them where absent.
    pub cell: Option<CellName>,
}

/// Names a cell within its experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellName {
    /// By its number, from 0.
    Number(usize),
    /// By what it measures. An experiment may have several of these, with other arguments.
    Content {
        /// Name of the target.
        target: String,
        /// Name of the workload.
        workload: String,
    },
}

/// A text names no cell and no experiment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no cell: write EXPERIMENT, EXPERIMENT:TARGET/WORKLOAD or EXPERIMENT:N")]
pub struct NotACell(String);

impl FromStr for CellRef {
    type Err = NotACell;

    fn from_str(text: &str) -> Result<Self, NotACell> {
        let wrong = || NotACell(text.to_owned());
        let (experiment, cell) = match text.split_once(':') {
            None => (text, None),
            Some((experiment, cell)) => (experiment, Some(cell_name(cell).ok_or_else(wrong)?)),
        };
        if experiment.is_empty() || experiment.contains('/') {
            return Err(wrong());
        }
        Ok(Self {
            experiment: experiment.to_owned(),
            cell,
        })
    }
}

fn cell_name(text: &str) -> Option<CellName> {
    let Some((target, workload)) = text.split_once('/') else {
        return text.parse().ok().map(CellName::Number);
    };
    let named = !target.is_empty() && !workload.is_empty();
    named.then(|| CellName::Content {
        target: target.to_owned(),
        workload: workload.to_owned(),
    })
}

impl TryFrom<String> for CellRef {
    type Error = NotACell;

    fn try_from(text: String) -> Result<Self, NotACell> {
        text.parse()
    }
}

impl From<CellRef> for String {
    fn from(name: CellRef) -> Self {
        name.to_string()
    }
}

impl fmt::Display for CellRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cell {
            None => f.write_str(&self.experiment),
            Some(CellName::Number(number)) => write!(f, "{}:{number}", self.experiment),
            Some(CellName::Content { target, workload }) => {
                write!(f, "{}:{target}/{workload}", self.experiment)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(target: &str, workload: &str) -> Option<CellName> {
        Some(CellName::Content {
            target: target.to_owned(),
            workload: workload.to_owned(),
        })
    }

    #[test]
    fn the_three_forms_are_told_apart() {
        for (text, experiment, cell) in [
            ("7", "7", None),
            ("latest", "latest", None),
            ("7:0", "7", Some(CellName::Number(0))),
            ("latest:12", "latest", Some(CellName::Number(12))),
            ("7:native/fasta", "7", content("native", "fasta")),
            ("7:command/a/b", "7", content("command", "a/b")),
        ] {
            let parsed: CellRef = text.parse().unwrap();
            assert_eq!(
                (&parsed.experiment[..], &parsed.cell),
                (experiment, &cell),
                "{text}"
            );
        }
    }

    #[test]
    fn what_names_nothing_is_refused_and_named() {
        for text in [
            "",
            ":",
            ":0",
            "7:",
            "7:native",
            "7:/fasta",
            "7:native/",
            "7:-1",
            "a/b",
        ] {
            let error = text.parse::<CellRef>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_written_as_it_is_read(text in "[a-z0-9:/]{1,12}") {
            if let Ok(parsed) = text.parse::<CellRef>() {
                prop_assert_eq!(parsed.to_string().parse::<CellRef>().unwrap(), parsed);
            }
        }
    }
}
