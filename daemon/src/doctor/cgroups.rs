//! Cgroups: every run needs one, and its peak of memory comes from the memory controller.

use wbd_linux::cgroup::{Controller, Hierarchies, MOST_TASKS, NoCgroups};
use wbd_linux::release;
use wbd_model::host::Check;

use super::check::{good, missing};

/// The release from which the unified hierarchy tells the peak (`memory.peak`).
const V2_PEAK_SINCE: (u32, u32) = (5, 19);

pub(super) fn checks() -> Vec<Check> {
    let hierarchies = Hierarchies::detect();
    let mut checks = vec![check_mode(&hierarchies)];
    if let Ok(hierarchies) = &hierarchies {
        checks.push(check_peak(&hierarchies.memory, release::running()));
        checks.push(check_tasks(&hierarchies.pids));
    }
    checks
}

fn check_mode(hierarchies: &Result<Hierarchies, NoCgroups>) -> Check {
    let name = "cgroups";
    match hierarchies {
        Ok(hierarchies) => good(
            name,
            format!(
                "{}, unified at {}",
                hierarchies.kind(),
                hierarchies.unified.display()
            ),
        ),
        Err(NoCgroups::NoUnified) => {
            let mend = "mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified; \
                        or boot with systemd.unified_cgroup_hierarchy=1";
            missing(name, "the unified hierarchy (v2) is mounted nowhere", mend)
        }
        Err(error) => missing(name, error.to_string(), "mount /proc"),
    }
}

fn check_peak(controller: &Controller, release: Option<(u32, u32)>) -> Check {
    let name = "peak memory of a cgroup";
    match controller {
        Controller::V1(mount) => good(
            name,
            format!("memory.max_usage_in_bytes under {}", mount.display()),
        ),
        Controller::V2 if release >= Some(V2_PEAK_SINCE) => good(name, "memory.peak"),
        Controller::V2 => missing(
            name,
            "memory.peak is not in this kernel",
            "boot Linux 5.19 or newer",
        ),
        Controller::Absent(why) => missing(
            name,
            why.as_str(),
            "add cgroup_enable=memory to the kernel's command line and boot again",
        ),
    }
}

fn check_tasks(controller: &Controller) -> Check {
    let name = "limit of a run's processes";
    match controller {
        Controller::V1(_) | Controller::V2 => good(name, format!("{MOST_TASKS} at once, threads counted")),
        Controller::Absent(why) => missing(
            name,
            why.as_str(),
            "add cgroup_enable=pids to the kernel's command line and boot again, or use a kernel with CONFIG_CGROUP_PIDS",
        ),
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn the_unified_hierarchy_tells_the_peak_from_5_19() {
        let grade = |release| check_peak(&Controller::V2, release).grade;
        assert_eq!(grade(Some((5, 18))), Grade::Missing);
        assert_eq!(grade(Some((5, 19))), Grade::Good);
        assert_eq!(grade(Some((6, 1))), Grade::Good);
        assert_eq!(grade(None), Grade::Missing);
    }

    #[test]
    fn a_controller_switched_off_says_how_to_get_it() {
        let check = check_peak(&Controller::Absent("it is off".into()), Some((6, 1)));
        assert_eq!(check.grade, Grade::Missing);
        assert!(check.mend.unwrap().contains("cgroup_enable=memory"));
        assert_eq!(
            check_peak(&Controller::V1("/m".into()), Some((5, 4))).grade,
            Grade::Good
        );
    }

    #[test]
    fn a_machine_without_the_unified_hierarchy_is_told_to_mount_it() {
        let check = check_mode(&Err(NoCgroups::NoUnified));
        assert_eq!(check.grade, Grade::Missing);
        assert!(check.mend.unwrap().contains("mount -t cgroup2"));
    }
}
