//! The capabilities the daemon keeps, each with its reason; all others are given up before anything else is done.
//!
//! Also given up is being looked at: without the right to, nobody can trace this process, read its memory or have it dump
//! a core. That matters most while a child of the gate, which has its caller's rights already, still runs in this memory.

use anyhow::Context as _;
use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl;

/// What the daemon needs, and for what.
pub(crate) const KEPT: [(Capability, &str); 14] = [
    (Capability::CAP_BPF, "load programs and maps"),
    (
        Capability::CAP_PERFMON,
        "attach programs, and count what happens in the kernel",
    ),
    (
        Capability::CAP_SYS_ADMIN,
        "attach to runners' marks, which are uprobes, and mount tracefs where nobody has",
    ),
    (
        Capability::CAP_NET_ADMIN,
        "hear from taskstats what the engine's processes used",
    ),
    (
        Capability::CAP_SYS_PTRACE,
        "read the memory use of the engine's processes, and let the clock program write to the daemon",
    ),
    (
        Capability::CAP_SYSLOG,
        "name the kernel's functions in an explanation",
    ),
    (Capability::CAP_SETUID, "become the caller"),
    (Capability::CAP_SETGID, "become the caller, with their groups"),
    (
        Capability::CAP_KILL,
        "end a child that holds the gate up, and one that left its cgroup",
    ),
    (
        Capability::CAP_CHOWN,
        "give the socket to its group, and compiled code to its owner",
    ),
    (
        Capability::CAP_SYS_NICE,
        "launch from a thread that is first in line, and take over a caller's nice value",
    ),
    (
        Capability::CAP_SYS_RESOURCE,
        "take over a caller's limits where they are above the daemon's own",
    ),
    (
        Capability::CAP_IPC_LOCK,
        "map an explanation's ring buffers, 4 MiB for each CPU, beyond the limit of locked memory",
    ),
    (
        Capability::CAP_DAC_OVERRIDE,
        "let root's targets use files as root does, in others' directories too",
    ),
];

/// Whether memory of a process that changes its user stays open to that user: 1 is for debugging.
const SUID_DUMPABLE: &str = "/proc/sys/fs/suid_dumpable";

/// Gives up everything but [`KEPT`]. To be called while there is one thread: rights are each thread's own.
///
/// # Errors
///
/// The kernel does not let it.
pub(crate) fn reduce() -> anyhow::Result<()> {
    prctl::set_dumpable(false).context("cannot keep others from looking into this process")?;
    let has = caps::read(None, CapSet::Permitted).context("cannot read the daemon's capabilities")?;
    tell_missing(&has);
    let kept: CapsHashSet = KEPT
        .iter()
        .map(|(kept, _)| *kept)
        .filter(|kept| has.contains(kept))
        .collect();
    limit_children(&kept).context("cannot take capabilities from the daemon's children")?;
    caps::clear(None, CapSet::Inheritable).context("cannot give up inheritable capabilities")?;
    caps::set(None, CapSet::Effective, &kept).context("cannot give up capabilities")?;
    caps::set(None, CapSet::Permitted, &kept).context("cannot give up capabilities for good")
}

/// Why nobody but root can be served now, if so.
///
/// A child of the gate is its caller's before it has memory of its own. The kernel closes the daemon's to the caller in
/// the same moment, but for a setting that says otherwise.
pub(crate) fn exposed() -> Option<String> {
    let setting = std::fs::read_to_string(SUID_DUMPABLE).ok()?;
    (setting.trim() == "1").then(|| {
        format!(
            "{SUID_DUMPABLE} is 1, which lets a user look into the daemon while it becomes that user: nobody but root is \
             served; have the administrator set it to 0 or 2 (sysctl fs.suid_dumpable=0)"
        )
    })
}

/// Programs executed from here on get none but these, whoever they belong to.
fn limit_children(kept: &CapsHashSet) -> Result<(), caps::errors::CapsError> {
    if !caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        return Ok(()); // not root's daemon, which will not come far
    }
    let bounding = caps::read(None, CapSet::Bounding)?;
    bounding
        .difference(kept)
        .try_for_each(|surplus| caps::drop(None, CapSet::Bounding, *surplus))
}

fn tell_missing(has: &CapsHashSet) {
    for (missing, purpose) in KEPT.iter().filter(|(kept, _)| !has.contains(kept)) {
        tracing::warn!("started without {missing}, which it takes to {purpose}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_units_bounding_set_is_what_the_daemon_keeps() {
        let unit = include_str!("../packaging/wbd.service");
        let lines = unit
            .lines()
            .filter_map(|line| line.strip_prefix("CapabilityBoundingSet="));
        let of_unit: BTreeSet<String> = lines.flat_map(str::split_whitespace).map(str::to_owned).collect();
        let ours: BTreeSet<String> = KEPT.iter().map(|(kept, _)| kept.to_string()).collect();
        assert_eq!(of_unit, ours);
    }
}
