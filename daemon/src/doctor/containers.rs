//! The container engine: it answers, or containers are not measured.

use wbd_model::host::{Check, Unavailable};

use super::check::{good, missing};

/// Grades the engine's answer: its version, or why there is none.
pub(crate) fn check_container_engine(answer: &Result<String, Unavailable>) -> Check {
    let name = "container engine";
    match answer {
        Ok(version) => good(name, version.as_str()),
        Err(unavailable) => missing(name, unavailable.why.as_str(), &unavailable.mend),
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn an_engine_that_does_not_answer_is_missing_with_its_mend() {
        let silent = Unavailable {
            why: "nobody listens".into(),
            mend: "systemctl start docker".into(),
        };
        let check = check_container_engine(&Err(silent));
        assert_eq!(
            (check.grade, check.found.as_str()),
            (Grade::Missing, "nobody listens")
        );
        assert_eq!(check.mend.as_deref(), Some("systemctl start docker"));
        assert_eq!(
            check_container_engine(&Ok("Docker 28.1".into())).grade,
            Grade::Good
        );
    }
}
