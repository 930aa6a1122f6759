//! The one clock of all instants, what it does not count, and the CPU clocks of processes.

use std::io;

use nix::time::{ClockId, clock_gettime};

/// `CLOCK_MONOTONIC` in nanoseconds: the clock of `bpf_ktime_get_ns`.
#[must_use]
pub fn monotonic_ns() -> u64 {
    now_ns(ClockId::CLOCK_MONOTONIC)
}

fn now_ns(clock: ClockId) -> u64 {
    let now = clock_gettime(clock).expect("every Linux has this clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

/// How long this machine has been suspended since it was booted, which `CLOCK_MONOTONIC` does not count and
/// `CLOCK_BOOTTIME` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspended {
    /// The two clocks cannot be read at once: it was this much at least, nanoseconds.
    least_ns: u64,
    /// And this much at most.
    most_ns: u64,
}

impl Suspended {
    /// Up to now.
    #[must_use]
    pub fn so_far() -> Self {
        let before = monotonic_ns();
        let boottime = now_ns(ClockId::CLOCK_BOOTTIME);
        let after = monotonic_ns();
        Self {
            least_ns: boottime.saturating_sub(after),
            most_ns: boottime.saturating_sub(before),
        }
    }

    /// How much of it came after `earlier`, in nanoseconds: never more than there was, and 0 where there was none.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.least_ns.saturating_sub(earlier.most_ns)
    }
}

/// CPU time that a process has used, its ended threads included, in nanoseconds.
///
/// # Errors
/// Fails where there is no such process.
pub fn process_cpu_ns(pid: i32) -> io::Result<u64> {
    let time = clock_gettime(ClockId::from_raw(clock_of(pid)))?;
    Ok(time.tv_sec().cast_unsigned() * 1_000_000_000 + time.tv_nsec().cast_unsigned())
}

/// The kernel's number for the scheduler's clock of a process (`CPUCLOCK_SCHED` in `linux/posix-timers.h`).
fn clock_of(pid: i32) -> libc::clockid_t {
    const SCHEDULER: libc::clockid_t = 2;
    (!pid << 3) | SCHEDULER
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Has this very test, started again in a time namespace, tell what it reads there.
    const TELL: &str = "WBD_TEST_TELL_SUSPENDED";

    #[test]
    fn a_suspension_is_what_boottime_has_counted_and_the_monotonic_clock_has_not() {
        if std::env::var_os(TELL).is_some() {
            let Suspended { least_ns, most_ns } = Suspended::so_far();
            return println!("read {least_ns} {most_ns}");
        }
        if !nix::unistd::geteuid().is_root() {
            return; // a time namespace needs root, as `cargo xtask test` has it
        }
        let here = Suspended::so_far();
        let this_test =
            "clock::tests::a_suspension_is_what_boottime_has_counted_and_the_monotonic_clock_has_not";
        let told = Command::new("unshare")
            .args(["--time", "--boottime", "100", "--fork"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", this_test])
            .env(TELL, "")
            .output()
            .unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let line = told
            .lines()
            .find_map(|line| line.split_once("read "))
            .map(|(_, line)| line);
        let mut numbers = line
            .unwrap_or_else(|| panic!("{told}"))
            .split(' ')
            .map(|word| word.parse().unwrap());
        let there = Suspended {
            least_ns: numbers.next().unwrap(),
            most_ns: numbers.next().unwrap(),
        };
        let slept = there.since(here);
        assert!((99_000_000_000..=100_000_000_000).contains(&slept), "{slept} ns");
    }

    #[test]
    fn the_clock_of_a_process_is_the_one_that_the_c_library_names() {
        for pid in [1, i32::try_from(std::process::id()).unwrap()] {
            let named = nix::time::clock_getcpuclockid(nix::unistd::Pid::from_raw(pid)).unwrap();
            assert_eq!(clock_of(pid), named.as_raw());
        }
    }

    #[test]
    fn a_machine_that_is_awake_does_not_sleep() {
        let begun = Suspended::so_far();
        for _ in 0..100_000 {
            assert_eq!(Suspended::so_far().since(begun), 0);
        }
    }
}
