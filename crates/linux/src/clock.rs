//! The one clock of all instants, and the CPU clocks of processes.

use std::io;

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// `CLOCK_MONOTONIC` in nanoseconds: the clock of `bpf_ktime_get_ns`.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has CLOCK_MONOTONIC");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

/// CPU time that a process has used, its ended threads included, in nanoseconds.
///
/// # Errors
/// Fails where there is no such process.
pub fn process_cpu_ns(pid: i32) -> io::Result<u64> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid))?;
    let time = clock_gettime(clock)?;
    Ok(time.tv_sec().cast_unsigned() * 1_000_000_000 + time.tv_nsec().cast_unsigned())
}
