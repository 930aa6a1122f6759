//! How the kernel lays out and backs the memory of programs.

use wbd_model::host::Check;

use super::check::{good, warning};
use super::read;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check_huge_pages(read::text("/sys/kernel/mm/transparent_hugepage/enabled").as_deref()),
        check_layout(read::number("/proc/sys/kernel/randomize_va_space")),
    ]
}

fn check_huge_pages(setting: Option<&str>) -> Check {
    let name = "transparent huge pages";
    match setting.map(|setting| read::chosen(setting).unwrap_or(setting)) {
        Some("always") => warning(
            name,
            "always: the number of page faults and the resident set depend on what memory is free in one piece",
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
        ),
        Some(other) => good(name, other),
        None => good(name, "not in this kernel"),
    }
}

/// Where a program lies changes how fast it runs. With one layout for all runs that is a bias which no
/// number of runs shows; with a new one for each run it is part of the spread.
fn check_layout(randomised: Option<i64>) -> Check {
    let name = "address space layout";
    match randomised {
        Some(0) => warning(
            name,
            "fixed: every run has the same layout, whose luck the figures share",
            "sysctl kernel.randomize_va_space=2",
        ),
        Some(_) => good(name, "random, anew for each run"),
        None => good(name, "not shown here"),
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn huge_pages_for_all_are_warned_of() {
        assert_eq!(
            check_huge_pages(Some("[always] madvise never")).grade,
            Grade::Warning
        );
        assert_eq!(check_huge_pages(Some("always [madvise] never")).found, "madvise");
        assert_eq!(
            check_huge_pages(Some("always madvise [never]")).grade,
            Grade::Good
        );
        assert_eq!(check_huge_pages(None).grade, Grade::Good);
    }

    #[test]
    fn a_fixed_layout_is_warned_of() {
        assert_eq!(check_layout(Some(2)).grade, Grade::Good);
        assert_eq!(check_layout(Some(0)).grade, Grade::Warning);
        assert_eq!(check_layout(None).grade, Grade::Good);
    }
}
