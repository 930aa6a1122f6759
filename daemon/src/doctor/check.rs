//! Making a check's line.

use wbd_model::host::{Check, Grade};

/// As it should be.
pub(super) fn good(name: &str, found: impl Into<String>) -> Check {
    line(name, Grade::Good, found.into(), None)
}

/// It works, and disturbs the figures or lacks something; `mend` is what to do.
pub(super) fn warning(name: &str, found: impl Into<String>, mend: &str) -> Check {
    line(name, Grade::Warning, found.into(), Some(mend))
}

/// Something cannot be measured here; `mend` is what to do.
pub(super) fn missing(name: &str, found: impl Into<String>, mend: &str) -> Check {
    line(name, Grade::Missing, found.into(), Some(mend))
}

fn line(name: &str, grade: Grade, found: String, mend: Option<&str>) -> Check {
    Check {
        name: name.to_owned(),
        grade,
        found,
        mend: mend.map(str::to_owned),
    }
}
