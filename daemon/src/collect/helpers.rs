//! The engine's processes in a container's run: which part of the engine each belongs to, and what they used.
//!
//! A process is of the part whose name it bears when it executes a program, else of the part that made it: what
//! dockerd, containerd, a shim or runc starts besides, such as hooks, counts as theirs.

use std::collections::{BTreeMap, BTreeSet};

use wbd_abi::{Event, EventKind};
use wbd_linux::taskstats::Ended;
use wbd_model::Metric;

use super::container::{RUNC, SHIM};
use crate::engine::meter::Used;
use crate::engine::processes::Processes;

/// A part of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Dockerd,
    Containerd,
    Shim,
    Runc,
}

/// Whether shims or runs of runc were seen that have not ended yet.
pub(crate) fn still_running(events: &[Event], processes: Processes) -> bool {
    let ended = exits(events);
    let parts = parts(events, processes);
    let mut running = parts.iter().filter(|(pid, _)| !ended.contains_key(pid));
    running.any(|(_, part)| matches!(part, Part::Shim | Part::Runc))
}

/// What the engine used, as metrics.
pub(crate) fn metrics(events: &[Event], used: &Used, metrics: &mut BTreeMap<Metric, u64>) {
    let parts = parts(events, used.processes);
    let cpu = |part| {
        used.ended
            .as_deref()
            .map(|ended| cpu_ns(ended, &parts, events, used.processes, part))
    };
    let all_ended = !still_running(events, used.processes);
    let seen = |part: Part| parts.values().any(|of| *of == part);
    let short_lived = |part| cpu(part).filter(|_| all_ended && seen(part));
    let lasting = |part, own: Option<u64>| Some(own? + cpu(part)?);
    let found = [
        (Metric::ShimRss, shim_bytes(events)),
        (Metric::EngineGrowth, used.growth_bytes),
        (Metric::ShimCpu, short_lived(Part::Shim)),
        (Metric::RuncCpu, short_lived(Part::Runc)),
        (
            Metric::ContainerdCpu,
            lasting(Part::Containerd, used.containerd_cpu_ns),
        ),
        (Metric::DockerdCpu, lasting(Part::Dockerd, used.dockerd_cpu_ns)),
    ];
    metrics.extend(
        found
            .into_iter()
            .filter_map(|(metric, value)| Some((metric, value?))),
    );
    let peaks = metrics
        .get(&Metric::CgroupPeak)
        .zip(metrics.get(&Metric::RssPeak));
    let rest = peaks.and_then(|(cgroup, process)| cgroup.checked_sub(*process));
    metrics.extend(rest.map(|rest| (Metric::ContainerRest, rest)));
}

/// The part of each process that the events tell of.
fn parts(events: &[Event], processes: Processes) -> BTreeMap<u32, Part> {
    let roots = [
        (processes.dockerd, Part::Dockerd),
        (processes.containerd, Part::Containerd),
    ];
    let known = roots
        .into_iter()
        .filter_map(|(pid, part)| Some((pid?.cast_unsigned(), part)));
    let mut parts: BTreeMap<u32, Part> = known.collect();
    for event in events.iter().filter(|event| event.helper == 1) {
        let part = match EventKind::from_raw(event.kind) {
            Some(EventKind::Fork) => parts.get(&(event.a as u32)).copied(),
            Some(EventKind::Exec) if event.comm.starts_with(SHIM) => Some(Part::Shim),
            Some(EventKind::Exec) if event.comm.starts_with(RUNC) => Some(Part::Runc),
            _ => None,
        };
        parts.extend(part.map(|part| (event.pid, part)));
    }
    parts
}

/// The processes that ended, each with its exit.
fn exits(events: &[Event]) -> BTreeMap<u32, &Event> {
    let exits = events.iter().filter(|event| event.kind == EventKind::Exit as u32);
    exits.map(|event| (event.pid, event)).collect()
}

/// CPU time of a part's processes that ended, but for those that ended inside the container: runc's last process
/// becomes the program.
fn cpu_ns(
    ended: &[Ended],
    parts: &BTreeMap<u32, Part>,
    events: &[Event],
    processes: Processes,
    part: Part,
) -> u64 {
    let inside: BTreeSet<u32> = events
        .iter()
        .filter(|event| event.helper == 0)
        .map(|event| event.pid)
        .collect();
    let lasting = [processes.dockerd, processes.containerd].map(|pid| pid.map(i32::cast_unsigned));
    let counts = |thread: &&Ended| {
        parts.get(&thread.pid) == Some(&part)
            && !inside.contains(&thread.pid)
            && !lasting.contains(&Some(thread.pid))
    };
    ended.iter().filter(counts).map(|thread| thread.cpu_ns).sum()
}

/// The largest resident set that a shim ended with.
fn shim_bytes(events: &[Event]) -> Option<u64> {
    let of_shim = |event: &&Event| {
        event.helper == 1 && event.kind == EventKind::Exit as u32 && event.comm.starts_with(SHIM)
    };
    let pages = events.iter().filter(of_shim).map(|event| event.a).max();
    pages
        .filter(|pages| *pages > 0)
        .map(|pages| pages * procfs::page_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERD: u32 = 10;
    const CONTAINERD: u32 = 20;

    fn event(kind: EventKind, pid: u32, a: u64, comm: &[u8]) -> Event {
        let mut event = Event {
            pid,
            a,
            kind: kind as u32,
            helper: 1,
            ..Event::default()
        };
        event.comm[..comm.len()].copy_from_slice(comm);
        event
    }

    /// containerd starts a shim, the shim runc, runc a hook and the process that becomes the program.
    fn events() -> Vec<Event> {
        use EventKind::{Exec, Exit, Fork};
        let mut program = event(Exit, 33, 170, b"empty");
        program.helper = 0;
        vec![
            event(Fork, 30, u64::from(CONTAINERD), b"containerd"),
            event(Exec, 30, 0, SHIM),
            event(Fork, 31, 30, SHIM),
            event(Exec, 31, 0, RUNC),
            event(Fork, 32, 31, RUNC),
            event(Exec, 32, 0, b"exe"),
            event(Fork, 33, 31, RUNC),
            event(Fork, 40, u64::from(DOCKERD), b"dockerd"),
            program,
            event(Exit, 32, 50, b"exe"),
            event(Exit, 31, 900, RUNC),
            event(Exit, 30, 1_000, SHIM),
        ]
    }

    fn used() -> Used {
        let ended = [
            (30, 5),
            (30, 6),
            (31, 70),
            (32, 800),
            (33, 9_000),
            (40, 10_000),
            (20, 100_000),
            (99, 1_000_000),
        ];
        Used {
            processes: Processes {
                dockerd: Some(DOCKERD.cast_signed()),
                containerd: Some(CONTAINERD.cast_signed()),
            },
            dockerd_cpu_ns: Some(3),
            containerd_cpu_ns: Some(4),
            growth_bytes: Some(0),
            ended: Some(ended.map(|(pid, cpu_ns)| Ended { pid, cpu_ns }).to_vec()),
        }
    }

    fn measured(events: &[Event], used: &Used) -> BTreeMap<Metric, u64> {
        let mut found = BTreeMap::from([(Metric::CgroupPeak, 9_000), (Metric::RssPeak, 5_000)]);
        metrics(events, used, &mut found);
        found
    }

    #[test]
    fn every_process_counts_for_the_part_it_bears_the_name_of_or_comes_from() {
        let found = measured(&events(), &used());
        assert_eq!(found[&Metric::ShimCpu], 5 + 6);
        assert_eq!(
            found[&Metric::RuncCpu],
            70 + 800,
            "with its hook, without the program it became"
        );
        assert_eq!(
            found[&Metric::ContainerdCpu],
            4,
            "its own threads are in its clock"
        );
        assert_eq!(found[&Metric::DockerdCpu], 3 + 10_000, "with what it started");
        assert_eq!(found[&Metric::ShimRss], 1_000 * procfs::page_size());
        assert_eq!(found[&Metric::ContainerRest], 4_000);
        assert_eq!(found[&Metric::EngineGrowth], 0);
    }

    #[test]
    fn a_shim_that_has_not_ended_has_no_cpu_time_yet() {
        let mut events = events();
        assert!(!still_running(&events, used().processes));
        events.pop();
        assert!(still_running(&events, used().processes));
        let found = measured(&events, &used());
        for absent in [Metric::ShimCpu, Metric::RuncCpu, Metric::ShimRss] {
            assert!(!found.contains_key(&absent), "{absent}");
        }
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let found = measured(&[], &Used::default());
        assert_eq!(
            found.keys().copied().collect::<Vec<_>>(),
            [Metric::RssPeak, Metric::CgroupPeak, Metric::ContainerRest]
        );
        let mut smaller = BTreeMap::from([(Metric::CgroupPeak, 4_000), (Metric::RssPeak, 5_000)]);
        metrics(&[], &Used::default(), &mut smaller);
        assert!(!smaller.contains_key(&Metric::ContainerRest));
    }
}
