//! How fast the CPUs run, and whether that changes from run to run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wbd_model::host::Check;

use super::check::{good, warning};
use super::read;

const POLICIES: &str = "/sys/devices/system/cpu/cpufreq";

/// Whether the processor may exceed its nominal frequency, and the file that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turbo {
    /// `intel_pstate/no_turbo`.
    Intel { on: bool },
    /// `cpufreq/boost`.
    Boost { on: bool },
    /// Nothing says.
    Unknown,
}

pub(super) fn checks() -> Vec<Check> {
    vec![check_governor(governor().as_deref()), check_turbo(turbo())]
}

/// The governor; several where CPUs differ.
pub(super) fn governor() -> Option<String> {
    governor_of(Path::new(POLICIES))
}

fn governor_of(policies: &Path) -> Option<String> {
    let policies = fs::read_dir(policies).ok()?.filter_map(Result::ok);
    let governors: BTreeSet<_> = policies
        .filter_map(|policy| read::text(policy.path().join("scaling_governor")))
        .collect();
    let governors: Vec<_> = governors.into_iter().collect();
    (!governors.is_empty()).then(|| governors.join(", "))
}

fn turbo() -> Turbo {
    let intel = read::number("/sys/devices/system/cpu/intel_pstate/no_turbo");
    let boost = read::number("/sys/devices/system/cpu/cpufreq/boost");
    match (intel, boost) {
        (Some(disabled), _) => Turbo::Intel { on: disabled == 0 },
        (None, Some(enabled)) => Turbo::Boost { on: enabled != 0 },
        (None, None) => Turbo::Unknown,
    }
}

fn check_governor(governor: Option<&str>) -> Check {
    let name = "frequency governor";
    match governor {
        Some("performance") => good(name, "performance"),
        Some(other) => warning(
            name,
            format!("{other}: short runs may end before the clock has risen"),
            "echo performance | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor",
        ),
        None => good(name, "none: this kernel does not set the frequency"),
    }
}

fn check_turbo(turbo: Turbo) -> Check {
    let name = "turbo";
    let found = "on: the clock depends on temperature and on the other cores";
    match turbo {
        Turbo::Intel { on: true } => warning(
            name,
            found,
            "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo",
        ),
        Turbo::Boost { on: true } => warning(
            name,
            found,
            "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost",
        ),
        Turbo::Intel { on: false } | Turbo::Boost { on: false } => good(name, "off"),
        Turbo::Unknown => good(name, "not shown here"),
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn every_governor_in_use_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(governor_of(&dir.path().join("absent")), None);
        assert_eq!(governor_of(dir.path()), None);
        for (policy, governor) in [
            ("policy0", "powersave\n"),
            ("policy4", "performance\n"),
            ("policy8", "powersave\n"),
        ] {
            fs::create_dir(dir.path().join(policy)).unwrap();
            fs::write(dir.path().join(policy).join("scaling_governor"), governor).unwrap();
        }
        assert_eq!(governor_of(dir.path()).as_deref(), Some("performance, powersave"));
    }

    #[test]
    fn only_a_steady_clock_is_good() {
        assert_eq!(check_governor(Some("performance")).grade, Grade::Good);
        assert_eq!(
            check_governor(Some("performance, powersave")).grade,
            Grade::Warning
        );
        assert_eq!(check_governor(Some("schedutil")).grade, Grade::Warning);
        assert_eq!(check_governor(None).grade, Grade::Good);
    }

    #[test]
    fn turbo_is_mended_where_it_is_set() {
        let mend = |turbo| check_turbo(turbo).mend;
        assert!(
            mend(Turbo::Intel { on: true })
                .unwrap()
                .contains("intel_pstate/no_turbo")
        );
        assert!(mend(Turbo::Boost { on: true }).unwrap().contains("cpufreq/boost"));
        assert_eq!(mend(Turbo::Intel { on: false }), None);
        assert_eq!(mend(Turbo::Unknown), None);
    }
}
