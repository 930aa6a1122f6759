//! Perf counters: which of them the processor and the kernel give us.

use nix::errno::Errno;
use wbd_model::host::Check;

use super::check::{good, missing, warning};
use super::probe::{self, Failure, Tried};
use super::read;

const HARDWARE: &str = "hardware counters";
const SOFTWARE: &str = "software counters";
const PARANOID: &str = "perf_event_paranoid";
/// A container's seccomp filter and a missing capability refuse alike.
const PERMIT: &str =
    "run wbd as root with CAP_PERFMON and outside a container, or: sysctl kernel.perf_event_paranoid=-1";

pub(super) fn checks(is_guest: bool) -> Vec<Check> {
    let (hardware, software): (Vec<_>, Vec<_>) = probe::all().into_iter().partition(Tried::is_hardware);
    let level = read::number("/proc/sys/kernel/perf_event_paranoid");
    vec![
        check_hardware(&hardware, is_guest),
        check_software(&software),
        check_paranoid(level, &software),
    ]
}

fn check_hardware(counters: &[Tried], is_guest: bool) -> Check {
    let (failed, counting): (Vec<_>, Vec<_>) = counters.iter().partition(|tried| tried.failure.is_some());
    let Some(failure) = failed.iter().find_map(|tried| tried.failure) else {
        return good(HARDWARE, names(&counting));
    };
    let mend = hardware_mend(failure, is_guest);
    if counting.is_empty() {
        return missing(HARDWARE, reason(failure), mend);
    }
    warning(
        HARDWARE,
        format!("{} are not counted: {}", names(&failed), reason(failure)),
        mend,
    )
}

fn names(counters: &[&Tried]) -> String {
    let names: Vec<_> = counters.iter().map(|tried| tried.name()).collect();
    names.join(", ")
}

fn reason(failure: Failure) -> String {
    match failure {
        Failure::Silent => "they open and stay at 0".to_owned(),
        Failure::Refused(Errno::ENOENT | Errno::EOPNOTSUPP | Errno::ENODEV | Errno::ENXIO) => {
            "this machine has none".to_owned()
        }
        Failure::Refused(errno) => format!("the kernel refuses them: {}", errno.desc()),
    }
}

fn hardware_mend(failure: Failure, is_guest: bool) -> &'static str {
    match failure {
        Failure::Refused(Errno::EACCES | Errno::EPERM) => PERMIT,
        _ if is_guest => "give the guest a virtual PMU (QEMU: -cpu host,pmu=on), or measure on the host",
        _ => "see what the kernel says of them: dmesg | grep -i 'performance events'",
    }
}

fn check_software(counters: &[Tried]) -> Check {
    match refused(counters) {
        None => good(SOFTWARE, names(&counters.iter().collect::<Vec<_>>())),
        Some((tried, errno)) => missing(SOFTWARE, format!("{}: {}", tried.name(), errno.desc()), PERMIT),
    }
}

fn refused(counters: &[Tried]) -> Option<(&Tried, Errno)> {
    counters.iter().find_map(|tried| match tried.failure {
        Some(Failure::Refused(errno)) => Some((tried, errno)),
        _ => None,
    })
}

/// The setting binds those without CAP_PERFMON alone: where our counters open it does not matter.
fn check_paranoid(level: Option<i64>, software: &[Tried]) -> Check {
    match level {
        Some(level) if refused(software).is_some() => {
            warning(PARANOID, format!("{level}, and it binds wbd"), PERMIT)
        }
        Some(level) => good(PARANOID, format!("{level}, which does not bind wbd")),
        None => missing(
            PARANOID,
            "the kernel has no perf events",
            "boot one with CONFIG_PERF_EVENTS=y",
        ),
    }
}

#[cfg(test)]
mod tests {
    use wbd_linux::perf::{Counted, HardwareEvent, Level};
    use wbd_model::host::Grade;

    use super::*;

    const ABSENT: Option<Failure> = Some(Failure::Refused(Errno::ENOENT));
    const FORBIDDEN: Option<Failure> = Some(Failure::Refused(Errno::EACCES));

    fn hardware(cycles: Option<Failure>, misses: Option<Failure>) -> [Tried; 2] {
        let tried = |counted, failure| Tried { counted, failure };
        let hardware = |event| Counted::Hardware(event, Level::All);
        [
            tried(hardware(HardwareEvent::Cycles), cycles),
            tried(hardware(HardwareEvent::CacheMisses), misses),
        ]
    }

    fn clock(failure: Option<Failure>) -> [Tried; 1] {
        [Tried {
            counted: Counted::TaskClock,
            failure,
        }]
    }

    #[test]
    fn counters_that_count_are_good() {
        let check = check_hardware(&hardware(None, None), true);
        assert_eq!((check.grade, check.mend), (Grade::Good, None));
        assert_eq!(check_software(&clock(None)).grade, Grade::Good);
    }

    #[test]
    fn a_guest_without_counters_is_told_to_get_a_virtual_pmu() {
        let check = check_hardware(&hardware(ABSENT, ABSENT), true);
        assert_eq!(check.grade, Grade::Missing);
        assert!(check.mend.unwrap().contains("virtual PMU"));
        let on_hardware = check_hardware(&hardware(ABSENT, ABSENT), false);
        assert!(on_hardware.mend.unwrap().contains("dmesg"));
    }

    #[test]
    fn what_is_forbidden_names_the_setting() {
        let check = check_hardware(&hardware(FORBIDDEN, FORBIDDEN), true);
        assert!(check.mend.unwrap().contains("perf_event_paranoid"));
        let check = check_software(&clock(FORBIDDEN));
        assert_eq!(check.grade, Grade::Missing);
        assert!(check.found.contains("CPU time"), "{}", check.found);
    }

    #[test]
    fn some_counters_are_better_than_none() {
        let check = check_hardware(&hardware(None, ABSENT), false);
        assert_eq!(check.grade, Grade::Warning);
        assert!(check.found.starts_with("cache misses are"), "{}", check.found);
    }

    #[test]
    fn a_counter_that_stays_at_zero_is_not_taken_for_one() {
        let silent = Some(Failure::Silent);
        assert_eq!(
            check_hardware(&hardware(silent, silent), true).grade,
            Grade::Missing
        );
    }

    #[test]
    fn the_setting_matters_where_it_binds() {
        assert_eq!(check_paranoid(Some(4), &clock(None)).grade, Grade::Good);
        assert_eq!(check_paranoid(Some(4), &clock(FORBIDDEN)).grade, Grade::Warning);
        assert_eq!(check_paranoid(None, &clock(None)).grade, Grade::Missing);
    }
}
