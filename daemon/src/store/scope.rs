//! Whose experiments a caller sees, and how an experiment is found by name.

use rusqlite::{Connection, OptionalExtension as _};

/// Whose experiments a caller sees. To others an experiment does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everybody's.
    All,
    /// One user's own.
    Owner(u32),
}

impl Scope {
    /// The uid that rows must have, as SQL takes it: `(?1 IS NULL OR owner_uid = ?1)`.
    pub(super) fn owner(self) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Owner(uid) => Some(uid),
        }
    }

    /// The row of the experiment called `name`, or of the newest where that is `latest`.
    pub(super) fn find(self, connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
        let number = number(name);
        if number.is_none() && name != "latest" {
            return Ok(None);
        }
        connection
            .prepare_cached(
                "SELECT id FROM experiment
                 WHERE removed = 0 AND (?1 IS NULL OR owner_uid = ?1) AND (?2 IS NULL OR id = ?2)
                 ORDER BY id DESC LIMIT 1",
            )?
            .query_row((self.owner(), number), |row| row.get(0))
            .optional()
    }
}

/// A name is its row's number as it prints: `7`, and neither `07` nor `+7`.
fn number(name: &str) -> Option<i64> {
    name.parse()
        .ok()
        .filter(|number: &i64| number.to_string() == name)
}
