//! A run in a container, seen from outside: the way to its program is known step by step, and how long that ran.

use wbd_model::explanation::CauseKind;
use wbd_model::{InstantName, Sample};

use super::breakdown::Breakdown;
use crate::phases::timeline;

/// A container's runs, as far as they are seen: medians that add up to the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contained {
    /// The steps to its program's first instruction, in nanoseconds: namespaces, cgroups, a shim, runc.
    pub launch: Vec<(String, u64)>,
    /// From there to its end.
    pub execution_ns: u64,
}

impl Contained {
    /// Of these runs; none where their programs were not seen.
    #[must_use]
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let marks = timeline(samples, None);
        let at = |name| marks.iter().position(|mark| mark.name == name);
        let (guest, exit) = (at(InstantName::Guest)?, at(InstantName::Exit)?);
        let length = |from: usize, to: usize| {
            (marks[to].offset_ns - marks[from].offset_ns)
                .max(0)
                .unsigned_abs()
        };
        let step = |to: usize| {
            (
                format!("{} to {}", marks[to - 1].name, marks[to].name),
                length(to - 1, to),
            )
        };
        Some(Self {
            launch: (1..=guest).map(step).collect(),
            execution_ns: length(guest, exit),
        })
    }

    /// Its parts. What its program did is told by the other side's, if that is of the same program outside: it is taken for
    /// the same, as many times as long.
    pub(super) fn parts(&self, outside: Option<&Breakdown>) -> Breakdown {
        let mut parts = Breakdown::default();
        for (step, ns) in &self.launch {
            parts.add(CauseKind::Processes, step.as_str(), *ns as f64);
        }
        match outside {
            Some(outside) => parts.add_all(outside.clone(), self.execution_ns as f64),
            None => parts.add(
                CauseKind::UserCpu,
                "its program in the container",
                self.execution_ns as f64,
            ),
        }
        parts
    }
}
