//! The tracepoints that wbd's programs attach to.

use std::path::Path;

use wbd_model::host::Check;

use super::check::{good, missing};

const NAME: &str = "tracepoints";
/// Where tracefs is mounted; the second as part of debugfs.
const PLACES: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
const ALL: [&str; 7] = [
    "syscalls/sys_enter_execve",
    "syscalls/sys_enter_execveat",
    "sched/sched_process_exec",
    "sched/sched_process_fork",
    "sched/sched_process_exit",
    "cgroup/cgroup_mkdir",
    "exceptions/page_fault_user",
];
/// The last of them is x86's; elsewhere a software event takes its place.
const NEEDED: &[&str] = if cfg!(target_arch = "aarch64") {
    ALL.split_at(6).0
} else {
    &ALL
};

pub(super) fn checks() -> Vec<Check> {
    let events = PLACES.iter().map(|place| Path::new(place).join("events"));
    vec![match events.into_iter().find(|events| events.is_dir()) {
        Some(events) => check_tracepoints(&absent_from(&events)),
        None => not_mounted(),
    }]
}

fn absent_from(events: &Path) -> Vec<&'static str> {
    NEEDED
        .iter()
        .copied()
        .filter(|tracepoint| !events.join(tracepoint).is_dir())
        .collect()
}

fn not_mounted() -> Check {
    let found = "the tracing file system is not mounted, or not for this user to read";
    missing(
        NAME,
        found,
        "as root: mount -t tracefs tracefs /sys/kernel/tracing",
    )
}

fn check_tracepoints(absent: &[&str]) -> Check {
    if absent.is_empty() {
        return good(NAME, format!("all {} present", NEEDED.len()));
    }
    let mend = if absent
        .iter()
        .any(|tracepoint| tracepoint.starts_with("syscalls/"))
    {
        "boot a kernel built with CONFIG_FTRACE_SYSCALLS=y, as distributions' own are"
    } else {
        "use an x86-64 machine with a distribution's own kernel: some tracepoints exist only there"
    };
    missing(NAME, format!("absent: {}", absent.join(", ")), mend)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn what_is_absent_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let events = dir.path().to_owned();
        let (last, others) = NEEDED.split_last().unwrap();
        for tracepoint in others {
            fs::create_dir_all(events.join(tracepoint)).unwrap();
        }
        let absent = absent_from(&events);
        assert_eq!(absent, [*last]);
        let check = check_tracepoints(&absent);
        assert_eq!(check.grade, Grade::Missing);
        assert!(check.found.contains(last), "{}", check.found);
        fs::create_dir_all(events.join(last)).unwrap();
        assert_eq!(check_tracepoints(&absent_from(&events)).grade, Grade::Good);
    }

    #[test]
    fn a_kernel_without_syscall_tracepoints_is_told_what_it_lacks() {
        let mend = check_tracepoints(&["syscalls/sys_enter_execve"]).mend.unwrap();
        assert!(mend.contains("CONFIG_FTRACE_SYSCALLS"), "{mend}");
    }
}
