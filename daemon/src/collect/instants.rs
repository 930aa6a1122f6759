//! From kernel events to the instants of a process.

use wbd_abi::{Event, EventKind, Mark};
use wbd_model::{Instant, InstantName, Instants};

const EXECVE: &str = "tracepoint syscalls:sys_enter_execve";
const EXEC: &str = "tracepoint sched:sched_process_exec";
const FAULT: &str = if cfg!(target_arch = "aarch64") {
    "instruction-fetch fault, software event page-faults"
} else {
    "instruction-fetch fault, tracepoint exceptions:page_fault_user"
};
const PROBE: &str = "uprobe on the entry point, beside which the dynamic loader reads the program's headers";
const MARK: &str = "USDT mark of the runner";
const EXIT: &str = "tracepoint sched:sched_process_exit";

/// The instants of the process `pid`, from its first image on.
///
/// A process that executes another program later keeps the instants of the first; only its end is one.
pub(crate) fn of_process(events: &[Event], pid: u32) -> Instants {
    let mut instants = Instants::new();
    let mut images = 0;
    for event in events
        .iter()
        .filter(|event| event.pid == pid && event.helper == 0)
    {
        let Some(kind) = EventKind::from_raw(event.kind) else {
            continue;
        };
        images += u32::from(kind == EventKind::Exec);
        let Some((name, method)) = meaning(kind, event.a) else {
            continue;
        };
        let of_first_image = images <= 1 || matches!(kind, EventKind::Mark | EventKind::Exit);
        if of_first_image {
            instants
                .entry(name)
                .or_insert_with(|| Instant::seen(event.ns, method));
        }
    }
    instants
}

fn meaning(kind: EventKind, a: u64) -> Option<(InstantName, &'static str)> {
    Some(match kind {
        EventKind::Launch => (InstantName::Launch, EXECVE),
        EventKind::Exec => (InstantName::Exec, EXEC),
        EventKind::FirstUser => (InstantName::FirstUser, FAULT),
        EventKind::Entry => (InstantName::Entry, FAULT),
        EventKind::Exit => (InstantName::Exit, EXIT),
        EventKind::Mark => (mark(a)?, MARK),
        EventKind::Fork
        | EventKind::CgroupMade
        | EventKind::Opened
        | EventKind::Executable
        | EventKind::Output
        | EventKind::OnCpu
        | EventKind::OffCpu
        | EventKind::Ready
        | EventKind::Unshared => return None,
    })
}

fn mark(number: u64) -> Option<InstantName> {
    const MEANINGS: [(Mark, InstantName); 4] = [
        (Mark::EngineReady, InstantName::EngineReady),
        (Mark::ModuleReady, InstantName::ModuleReady),
        (Mark::InstanceReady, InstantName::InstanceReady),
        (Mark::Guest, InstantName::Guest),
    ];
    MEANINGS
        .into_iter()
        .find(|(mark, _)| *mark as u64 == number)
        .map(|(_, name)| name)
}

/// Where no fault showed the entry point, the probe in its place.
pub(crate) fn entry_by_probe(events: &[Event], pid: u32, instants: &mut Instants) {
    let of_process = |event: &&Event| event.pid == pid && event.helper == 0;
    let is_exec = |event: &Event| event.kind == EventKind::Exec as u32;
    let mut first_image = events
        .iter()
        .filter(of_process)
        .skip_while(|event| !is_exec(event))
        .skip(1)
        .take_while(|event| !is_exec(event));
    let is_start = |event: &&Event| event.kind == EventKind::Mark as u32 && event.a == Mark::Start as u64;
    if let Some(start) = first_image.find(is_start) {
        let seen = || Instant::seen(start.ns, PROBE);
        instants.entry(InstantName::Entry).or_insert_with(seen);
    }
}

/// For a program that is its own guest: the user's code begins at the entry point.
pub(crate) fn guest_is_entry(instants: &mut Instants) {
    if let Some(entry) = instants.get(&InstantName::Entry) {
        let method = format!("the executable's entry point: {}", entry.method);
        instants.insert(InstantName::Guest, Instant::seen(entry.ns, method));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(ns: u64, pid: u32, kind: EventKind, a: u64) -> Event {
        Event {
            ns,
            pid,
            kind: kind as u32,
            a,
            ..Event::default()
        }
    }

    #[test]
    fn the_first_image_counts_and_the_end_of_the_last() {
        let events = [
            event(1, 7, EventKind::Launch, 0),
            event(2, 7, EventKind::Exec, 0),
            event(3, 7, EventKind::FirstUser, 0),
            event(4, 7, EventKind::Entry, 0),
            event(5, 7, EventKind::Launch, 0),
            event(6, 7, EventKind::Exec, 0),
            event(7, 7, EventKind::Entry, 0),
            event(8, 7, EventKind::Exit, 0),
        ];
        let instants = of_process(&events, 7);
        assert_eq!(instants[&InstantName::Launch].ns, 1);
        assert_eq!(instants[&InstantName::Entry].ns, 4);
        assert_eq!(instants[&InstantName::Exit].ns, 8);
    }

    #[test]
    fn the_second_image_never_lends_its_entry_to_the_first() {
        let events = [
            event(2, 7, EventKind::Exec, 0),
            event(6, 7, EventKind::Exec, 0),
            event(7, 7, EventKind::Entry, 0),
        ];
        assert!(!of_process(&events, 7).contains_key(&InstantName::Entry));
    }

    #[test]
    fn the_probe_stands_in_for_a_fault_that_was_not_seen_and_for_no_other() {
        let start = |ns| event(ns, 7, EventKind::Mark, Mark::Start as u64);
        let entry = |events: &[Event]| {
            let mut instants = of_process(events, 7);
            entry_by_probe(events, 7, &mut instants);
            instants.get(&InstantName::Entry).map(|entry| entry.ns)
        };
        let exec = |ns| event(ns, 7, EventKind::Exec, 0);
        assert_eq!(entry(&[exec(2), start(4)]), Some(4));
        assert_eq!(
            entry(&[exec(2), event(3, 7, EventKind::Entry, 0), start(4)]),
            Some(3)
        );
        assert_eq!(entry(&[exec(2), exec(5), start(6)]), None, "the second image's");
        assert_eq!(entry(&[start(1)]), None);
    }

    #[test]
    fn other_processes_are_left_out() {
        let events = [
            event(1, 8, EventKind::Exec, 0),
            event(2, 7, EventKind::Mark, Mark::Guest as u64),
        ];
        let instants = of_process(&events, 7);
        assert_eq!(instants.keys().copied().collect::<Vec<_>>(), [InstantName::Guest]);
    }
}
