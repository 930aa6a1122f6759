//! Who else is on our CPUs: siblings of the same core, and other guests of the same host.

use wbd_model::host::Check;

use super::check::{good, warning};
use super::read;

pub(super) fn checks(hypervisor: Option<&str>) -> Vec<Check> {
    let siblings = read::number("/sys/devices/system/cpu/smt/active");
    vec![check_virtualisation(hypervisor), check_siblings(siblings)]
}

fn check_virtualisation(hypervisor: Option<&str>) -> Check {
    let name = "virtualisation";
    let Some(hypervisor) = hypervisor else {
        return good(name, "none");
    };
    let found = format!(
        "a guest ({hypervisor}): the host takes time from runs, and page faults and timers cost more"
    );
    warning(
        name,
        found,
        "measure on a machine of its own; here, make more runs and look at medians",
    )
}

fn check_siblings(active: Option<i64>) -> Check {
    let name = "simultaneous multithreading";
    match active {
        Some(0) => good(name, "off"),
        Some(_) => warning(
            name,
            "on: what runs on the other thread of a core slows a run down",
            "echo off | sudo tee /sys/devices/system/cpu/smt/control",
        ),
        None => good(name, "not shown here"),
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn a_guest_is_warned_of_its_host() {
        assert_eq!(check_virtualisation(None).grade, Grade::Good);
        let guest = check_virtualisation(Some("KVM"));
        assert_eq!(guest.grade, Grade::Warning);
        assert!(guest.found.contains("KVM"), "{}", guest.found);
    }

    #[test]
    fn siblings_are_warned_of_where_they_run() {
        assert_eq!(check_siblings(Some(1)).grade, Grade::Warning);
        assert_eq!(check_siblings(Some(0)).grade, Grade::Good);
        assert_eq!(check_siblings(None).grade, Grade::Good);
    }
}
