//! What else the machine is doing at this moment.

use procfs::{CpuPressure, Current as _, IoPressure, LoadAverage, Meminfo, MemoryPressure};
use wbd_model::host::Check;

use super::check::{good, missing, warning};

/// Load for each CPU from which runs wait for one another.
const BUSY: f32 = 0.25;
/// Share of the last ten seconds, in percent, in which a task waited.
const PRESSED_PERCENT: f32 = 1.0;

pub(super) fn checks(cpus: u32) -> Vec<Check> {
    let swapped = Meminfo::current()
        .ok()
        .map(|memory| memory.swap_total.saturating_sub(memory.swap_free));
    vec![
        check_load(LoadAverage::current().ok().map(|load| load.one), cpus),
        check_pressure(
            "CPU pressure",
            "a CPU",
            CpuPressure::current().ok().map(|pressure| pressure.some.avg10),
            "stop what else runs: ps -eo pcpu,pid,comm --sort=-pcpu | head",
        ),
        check_pressure(
            "memory pressure",
            "memory",
            MemoryPressure::current().ok().map(|pressure| pressure.some.avg10),
            "free some memory: ps -eo rss,pid,comm --sort=-rss | head",
        ),
        check_pressure(
            "disk pressure",
            "a disk",
            IoPressure::current().ok().map(|pressure| pressure.some.avg10),
            "see who reads and writes: pidstat -d 1",
        ),
        check_swap(swapped),
    ]
}

fn check_load(load: Option<f32>, cpus: u32) -> Check {
    let name = "load";
    let Some(load) = load else {
        return missing(name, "/proc/loadavg cannot be read", "mount /proc");
    };
    let found = format!("{load:.2} on {cpus} CPUs");
    if load > BUSY * cpus.max(1) as f32 {
        let mend = "stop what else runs, or wait: ps -eo pcpu,pid,comm --sort=-pcpu | head";
        return warning(
            name,
            format!("{found}: other programs take part in the runs"),
            mend,
        );
    }
    good(name, found)
}

/// How long tasks waited for `what`, of the last ten seconds.
fn check_pressure(name: &str, what: &str, some_percent: Option<f32>, mend: &str) -> Check {
    match some_percent {
        Some(percent) if percent >= PRESSED_PERCENT => warning(
            name,
            format!("tasks waited for {what} {percent:.1} % of the last ten seconds"),
            mend,
        ),
        Some(_) => good(name, "none"),
        None => missing(
            name,
            "the kernel does not tell it",
            "boot with psi=1 (CONFIG_PSI)",
        ),
    }
}

fn check_swap(used_bytes: Option<u64>) -> Check {
    let name = "swap";
    match used_bytes {
        Some(0) => good(name, "not in use"),
        Some(bytes) => warning(
            name,
            format!(
                "{} MiB in use: a run may wait for pages from disk",
                bytes.div_ceil(1 << 20)
            ),
            "free some memory, then: swapoff -a && swapon -a",
        ),
        None => missing(name, "/proc/meminfo cannot be read", "mount /proc"),
    }
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Grade;

    use super::*;

    #[test]
    fn load_counts_against_the_number_of_cpus() {
        assert_eq!(check_load(Some(0.6), 2).grade, Grade::Warning);
        assert_eq!(check_load(Some(0.6), 16).grade, Grade::Good);
        assert_eq!(check_load(Some(0.6), 0).grade, Grade::Warning);
        assert_eq!(check_load(None, 2).grade, Grade::Missing);
    }

    #[test]
    fn pressure_is_a_share_of_time() {
        let check = |percent| check_pressure("disk pressure", "a disk", percent, "wait");
        assert_eq!(check(Some(0.0)).grade, Grade::Good);
        assert_eq!(check(Some(40.0)).grade, Grade::Warning);
        assert!(check(Some(40.0)).found.contains("a disk 40.0 %"));
        assert_eq!(check(None).grade, Grade::Missing);
    }

    #[test]
    fn swap_that_holds_anything_is_warned_of() {
        assert_eq!(check_swap(Some(0)).grade, Grade::Good);
        let check = check_swap(Some(1));
        assert_eq!(check.grade, Grade::Warning);
        assert!(check.found.starts_with("1 MiB"), "{}", check.found);
    }
}
