//! Who else is on our CPUs: siblings of the same core, and other guests of the same host.

use procfs::{CpuInfo, Current as _, CurrentSI as _, KernelStats};
use wbd_model::host::Check;

use super::check::{good, warning};
use super::read;

/// Thousandths of stolen time from which it shows in p99.
const STOLEN_PERMILLE: u64 = 10;

pub(super) fn checks(hypervisor: Option<&str>) -> Vec<Check> {
    let siblings = read::number("/sys/devices/system/cpu/smt/active");
    let cpu = CpuInfo::current().ok();
    let microcode = cpu.as_ref().and_then(|cpu| cpu.get_field(0, "microcode"));
    vec![
        check_virtualisation(hypervisor),
        check_stolen(stolen_permille()),
        check_siblings(siblings),
        good("microcode", microcode.unwrap_or("not shown here")),
    ]
}

/// Of the CPUs' busy time since the machine started, how much the host gave to others, in thousandths.
fn stolen_permille() -> Option<u64> {
    let total = KernelStats::current().ok()?.total;
    let stolen = total.steal?;
    let busy = total.user + total.nice + total.system + stolen;
    (stolen * 1000).checked_div(busy)
}

fn check_stolen(permille: Option<u64>) -> Check {
    let name = "stolen time";
    let told = |permille: u64| {
        format!(
            "{}.{} % of the busy time since the start",
            permille / 10,
            permille % 10
        )
    };
    match permille {
        Some(permille) if permille >= STOLEN_PERMILLE => warning(
            name,
            format!("{}: the host runs others in its place", told(permille)),
            "measure while the host is quiet, or on a machine of its own",
        ),
        Some(permille) => good(name, told(permille)),
        None => good(name, "not shown here"),
    }
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
    fn stolen_time_is_warned_of_from_one_percent() {
        assert_eq!(check_stolen(Some(9)).grade, Grade::Good);
        let check = check_stolen(Some(12));
        assert_eq!(check.grade, Grade::Warning);
        assert!(check.found.starts_with("1.2 %"), "{}", check.found);
        assert_eq!(check_stolen(None).grade, Grade::Good);
    }

    #[test]
    fn siblings_are_warned_of_where_they_run() {
        assert_eq!(check_siblings(Some(1)).grade, Grade::Warning);
        assert_eq!(check_siblings(Some(0)).grade, Grade::Good);
        assert_eq!(check_siblings(None).grade, Grade::Good);
    }
}
