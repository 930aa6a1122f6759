//! What disturbs figures on this machine: looked at for the doctor, and recorded with every experiment.

use std::collections::BTreeMap;

use wbd_model::host::{Check, Grade};

use super::{clock, cpu, frequency, load, memory};

/// All that may disturb.
pub(super) fn checks(hypervisor: Option<&str>, cpus: u32) -> Vec<Check> {
    let groups = [
        cpu::checks(hypervisor),
        frequency::checks(),
        clock::checks(),
        memory::checks(),
        load::checks(cpus),
    ];
    groups.into_iter().flatten().collect()
}

/// What was found, by name, and the names of what disturbs.
pub(super) fn record(checks: &[Check]) -> (BTreeMap<String, String>, Vec<String>) {
    let found = checks
        .iter()
        .map(|check| (check.name.clone(), check.found.clone()));
    (found.collect(), names(checks, Grade::Warning))
}

/// A sentence on all checks together.
pub(super) fn overall(checks: &[Check]) -> String {
    let warnings = names(checks, Grade::Warning);
    let missing = names(checks, Grade::Missing);
    let believe = match warnings.len() {
        0 => "overall: good, nothing disturbs the figures".to_owned(),
        1 | 2 => format!("overall: fair, disturbed by {}", warnings.join(" and ")),
        many => format!(
            "overall: poor, {many} things disturb the figures ({}): believe only differences far larger than their intervals",
            warnings.join(", ")
        ),
    };
    match missing.as_slice() {
        [] => believe,
        missing => format!("{believe}; cannot be measured: {}", missing.join(", ")),
    }
}

fn names(checks: &[Check], grade: Grade) -> Vec<String> {
    let of_grade = checks.iter().filter(|check| check.grade == grade);
    of_grade.map(|check| check.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check::{good, missing, warning};
    use super::*;

    #[test]
    fn the_grade_names_what_it_stands_on() {
        let calm = vec![good("load", "0.00")];
        assert!(overall(&calm).contains("good"));
        let some = [calm.clone(), vec![warning("swap", "in use", "swapoff -a")]].concat();
        assert_eq!(overall(&some), "overall: fair, disturbed by swap");
        let turbo = ["turbo", "governor"].map(|name| warning(name, "on", "off"));
        let many = [some, turbo.to_vec(), vec![missing("PMU", "absent", "get one")]].concat();
        let said = overall(&many);
        assert!(
            said.contains("poor, 3 things") && said.ends_with("cannot be measured: PMU"),
            "{said}"
        );
    }

    #[test]
    fn what_is_recorded_is_what_was_found() {
        let (found, disturbing) = record(&[good("swap", "not in use"), warning("load", "3.00", "wait")]);
        assert_eq!(found["swap"], "not in use");
        assert_eq!(disturbing, ["load"]);
    }
}
