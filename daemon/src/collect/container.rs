//! From what was seen of a container to its sample.

use std::collections::BTreeMap;

use wbd_abi::{CONTAINED, Event, EventKind, HELPER};
use wbd_model::{Instant, InstantName, Instants, Metric, Sample};

use super::sample::{self, Expected};
use super::{helpers, instants, noise};
use crate::engine::meter::Used;
use crate::launch::container::Requests;
use crate::launch::observed::Observed;

const REQUEST: &str = "the daemon's own clock beside its request to the engine";
const MKDIR: &str = "tracepoint cgroup:cgroup_mkdir, by a descendant of the engine";
const UNSHARE: &str = "tracepoint syscalls:sys_exit_unshare, by runc's first process for the container";
const CONTAINED_ENTRY: &str = "entry point of the first program in the container: instruction-fetch fault, tracepoint exceptions:page_fault_user";
const HELPER_EXEC: &str = "tracepoint sched:sched_process_exec, by a descendant of the engine";

/// How the engine's helpers call themselves in the kernel.
pub(super) const SHIM: &[u8] = b"containerd-shim";
pub(super) const RUNC: &[u8] = b"runc";

/// Makes the sample of run `run`, at place `order` in the experiment.
pub(crate) fn sample(
    mut observed: Observed,
    requests: Requests,
    used: &Used,
    expected: &Expected<'_>,
    run: u32,
    order: u32,
) -> Sample {
    observed.root = entrypoint(&observed.events).unwrap_or(0);
    let instants = instants(&observed, requests);
    let mut metrics = BTreeMap::new();
    sample::time_metrics(&instants, &mut metrics);
    sample::counted_metrics(&observed, &mut metrics);
    sample::scheduling_metrics(&observed, &mut metrics);
    noise::metrics(&observed, &instants, &mut metrics);
    sample::memory_metrics(&observed, &mut metrics);
    helpers::metrics(&observed.events, used, &mut metrics);
    metrics.remove(&Metric::OffCpu); // the part of the wall time before the process is the engine's
    sample::finish(observed, expected, instants, metrics, run, order)
}

/// The container's first process to execute a program inside its cgroup.
fn entrypoint(events: &[Event]) -> Option<u32> {
    let inside = |event: &&Event| event.helper == 0 && event.kind == EventKind::Exec as u32;
    events.iter().find(inside).map(|event| event.pid)
}

fn instants(observed: &Observed, requests: Requests) -> Instants {
    let mut found = instants::of_process(&observed.events, observed.root);
    instants::guest_is_entry(&mut found);
    let of_requests = [
        (InstantName::Launch, Some(requests.launch)),
        (InstantName::Created, requests.created),
        (InstantName::StartSent, requests.start_sent),
        (InstantName::WaitReturned, requests.wait_returned),
    ];
    for (name, ns) in of_requests {
        found.remove(&name); // the kernel's launch is the one inside the container
        found.extend(ns.map(|ns| (name, Instant::seen(ns, REQUEST))));
    }
    let since = requests.start_sent.unwrap_or(u64::MAX);
    found.extend(of_helpers(&observed.events, since));
    found
}

/// What the engine's helpers did from `since` on, on their way to the container.
fn of_helpers(events: &[Event], since: u64) -> Instants {
    let steps = [
        (InstantName::ShimExec, EventKind::Exec, SHIM, HELPER_EXEC),
        (InstantName::RuncExec, EventKind::Exec, RUNC, HELPER_EXEC),
        (InstantName::CgroupMade, EventKind::CgroupMade, &[][..], MKDIR),
    ];
    let first = |kind: EventKind, comm: &[u8]| {
        let of_helper = |event: &&Event| {
            event.helper == HELPER
                && event.ns >= since
                && event.kind == kind as u32
                && event.comm.starts_with(comm)
        };
        events.iter().find(of_helper)
    };
    let instant = |(name, kind, comm, method)| Some((name, Instant::seen(first(kind, comm)?.ns, method)));
    let mut found: Instants = steps.into_iter().filter_map(instant).collect();
    let runc = found.get(&InstantName::RuncExec).map(|runc| runc.ns);
    let unshared = runc.and_then(|runc| namespaces_made(events, runc));
    found.extend(unshared.map(|ns| (InstantName::NamespacesMade, Instant::seen(ns, UNSHARE))));
    found
}

/// When runc had made the container's namespaces: by then the process that does so may be in the container's cgroup.
fn namespaces_made(events: &[Event], since: u64) -> Option<u64> {
    let made = |event: &&Event| {
        event.ns >= since && event.kind == EventKind::Unshared as u32 && event.comm.starts_with(RUNC)
    };
    events.iter().find(made).map(|event| event.ns)
}

/// For a client of an engine, run as a plain command: adds what its container went through, and where the user's own
/// code began there. What was not seen stays absent.
pub(crate) fn add_to_client(events: &[Event], client: &mut Instants) {
    let since = client
        .get(&InstantName::Launch)
        .map_or(u64::MAX, |launch| launch.ns);
    client.extend(of_helpers(events, since));
    let contained = |kind: EventKind, pid: Option<u32>| {
        let is = |event: &&Event| {
            event.helper == CONTAINED && event.kind == kind as u32 && pid.is_none_or(|pid| event.pid == pid)
        };
        events.iter().find(is)
    };
    let program = contained(EventKind::Exec, None).map(|event| event.pid);
    let entry = program.and_then(|program| contained(EventKind::Entry, Some(program)));
    client.extend(entry.map(|entry| (InstantName::Guest, Instant::seen(entry.ns, CONTAINED_ENTRY))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::sample::Guest;

    fn event(ns: u64, kind: EventKind, helper: u32, comm: &[u8]) -> Event {
        let mut event = Event {
            ns,
            pid: if helper == 1 { 2 } else { 9 },
            kind: kind as u32,
            helper,
            ..Event::default()
        };
        event.comm[..comm.len()].copy_from_slice(comm);
        event
    }

    #[test]
    fn the_guest_of_a_client_is_in_its_container() {
        let events = [
            event(5, EventKind::Launch, 0, b"docker"),
            event(6, EventKind::Entry, 0, b"docker"),
            event(30, EventKind::Exec, HELPER, SHIM),
            event(40, EventKind::Exec, HELPER, RUNC),
            event(50, EventKind::CgroupMade, HELPER, RUNC),
            event(60, EventKind::Exec, CONTAINED, b"empty"),
            event(61, EventKind::Entry, CONTAINED, b"empty"),
        ];
        let mut instants = instants::of_process(&events, 9);
        add_to_client(&events, &mut instants);
        let at: Vec<u64> = instants.values().map(|instant| instant.ns).collect();
        assert_eq!(at, [5, 30, 40, 50, 6, 61]);
        assert_eq!(instants[&InstantName::Guest].ns, 61);
        let mut nothing = instants::of_process(&events[..2], 9);
        add_to_client(&events[..2], &mut nothing);
        assert!(!nothing.contains_key(&InstantName::Guest));
    }

    #[test]
    fn the_path_of_a_container_is_put_together_from_requests_helpers_and_entrypoint() {
        let events = vec![
            event(5, EventKind::Exec, 1, b"runc"), // of something the engine did before
            event(6, EventKind::Unshared, 1, b"runc:[1:CHILD]"),
            event(30, EventKind::Exec, 1, SHIM),
            event(40, EventKind::Exec, 1, RUNC),
            event(50, EventKind::CgroupMade, 1, RUNC),
            event(55, EventKind::Unshared, 0, b"runc:[1:CHILD]"),
            event(60, EventKind::Exec, 0, b"empty"),
            event(61, EventKind::Entry, 0, b"empty"),
            event(70, EventKind::Exit, 0, b"empty"),
        ];
        let observed = Observed {
            events,
            ..Observed::default()
        };
        let requests = Requests {
            launch: 10,
            created: Some(20),
            start_sent: Some(25),
            wait_returned: Some(90),
        };
        let expected = Expected {
            output: None,
            guest: Guest::Entry,
        };
        let sample = sample(observed, requests, &Used::default(), &expected, 0, 0);
        let at: Vec<u64> = sample.instants.values().map(|instant| instant.ns).collect();
        assert_eq!(at, [10, 20, 25, 30, 40, 50, 55, 60, 61, 61, 70, 90]);
        assert_eq!(sample.metrics[&Metric::Startup], 51);
        assert_eq!(sample.metrics[&Metric::StartOnly], 36);
    }
}
