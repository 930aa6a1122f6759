//! What this host can measure, what will disturb the figures, and what to do about it.
//!
//! A reader takes a reading from the kernel's files, and a pure function grades it. A file that is
//! not there is a reading too: kernels, processors and hypervisors differ in what they show.

mod cgroups;
mod check;
mod clock;
mod containers;
mod counters;
mod cpu;
mod environment;
mod frequency;
mod hypervisor;
mod kernel;
mod load;
mod machine;
mod memory;
mod probe;
mod read;
mod tracepoints;
mod weight;

use wbd_model::host::{Check, Diagnosis};

pub(crate) use containers::check_container_engine;
pub(crate) use machine::machine;
pub(crate) use weight::{OwnFigures, check_entry_bias, check_hits, check_own_weight};

/// Looks at everything: first what can be measured, with `extra` of the caller's own, then what disturbs.
pub(crate) fn diagnose(extra: Vec<Check>) -> Diagnosis {
    let machine = machine();
    let guest = machine.hypervisor.as_deref();
    let groups = [
        kernel::checks(),
        tracepoints::checks(),
        counters::checks(guest.is_some()),
        cgroups::checks(),
        extra,
        environment::checks(guest, machine.cpus),
    ];
    let checks: Vec<Check> = groups.into_iter().flatten().collect();
    Diagnosis {
        overall: environment::overall(&checks),
        machine,
        checks,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn a_diagnosis_of_this_machine_is_complete_and_says_what_to_do() {
        let extra = check_container_engine(&Ok("Docker 28.1".into()));
        let diagnosis = diagnose(vec![extra.clone()]);
        assert!(diagnosis.checks.contains(&extra));
        let names: BTreeSet<_> = diagnosis.checks.iter().map(|check| &check.name).collect();
        assert_eq!(names.len(), diagnosis.checks.len(), "a name occurs twice");
        for check in &diagnosis.checks {
            assert!(!check.found.is_empty(), "{} found nothing", check.name);
            assert!(
                check.grade != Grade::Good || check.mend.is_none(),
                "{} is good and mended",
                check.name
            );
        }
    }
}
