//! The instants of an engine that marks nothing, concluded from what the kernel saw of it.
//!
//! An engine opens its module, makes the code it compiled or loaded executable, and calls it. So the module
//! is ready when memory is last made executable before the guest runs; an interpreter makes none, and has no
//! such instant. The guest's first instruction is seen itself where a file holds its machine code; else
//! all that shows of a guest is what it does, and its first output comes after its first instruction. What a process
//! prints before it has made code, if it ever makes any, is the engine's own.

use wbd_abi::{Event, EventKind, Mark};
use wbd_model::{Confidence, Instant, InstantName, Instants};

const READY: &str = "last mprotect or mmap with PROT_EXEC between the opening of the module and the guest";
const START: &str = "uprobe on `_start` in the module's machine code";
const OUTPUT: &str = "first write to standard output or error after the opening of the module";

/// Adds what the events tell of an engine's module and guest. What they do not tell stays absent.
pub(crate) fn add(events: &[Event], instants: &mut Instants) {
    let Some(guest) = started(events).or_else(|| first_output(events)) else {
        return;
    };
    let ready = last_executable(events, guest.pid, guest.since, guest.instant.ns).map(|ns| Instant {
        // A JIT may go on compiling while the guest already runs.
        confidence: guest.instant.confidence.or(Some(Confidence::Inferred)),
        ..Instant::seen(ns, READY)
    });
    instants.extend(ready.map(|ready| (InstantName::ModuleReady, ready)));
    instants.insert(InstantName::Guest, guest.instant);
}

struct Guest {
    pid: u32,
    /// When the engine opened the module.
    since: u64,
    instant: Instant,
}

fn started(events: &[Event]) -> Option<Guest> {
    let start = of_target(events)
        .find(|event| event.kind == EventKind::Mark as u32 && event.a == Mark::Start as u64)?;
    Some(Guest {
        pid: start.pid,
        since: opened(events, start.pid, start.ns).unwrap_or(0),
        instant: Instant::seen(start.ns, START),
    })
}

fn first_output(events: &[Event]) -> Option<Guest> {
    let output = of_target(events).find(|event| is_guests(events, event))?;
    Some(Guest {
        pid: output.pid,
        since: opened(events, output.pid, output.ns)?,
        instant: Instant {
            confidence: Some(Confidence::UpperBound),
            ..Instant::seen(output.ns, OUTPUT)
        },
    })
}

/// Whether an event is output that a guest of its process may have made.
fn is_guests(events: &[Event], output: &Event) -> bool {
    if output.kind != EventKind::Output as u32 {
        return false;
    }
    let Some(since) = opened(events, output.pid, output.ns) else {
        return false;
    };
    first_executable(events, output.pid, since).is_none_or(|code| code < output.ns)
}

fn first_executable(events: &[Event], pid: u32, since: u64) -> Option<u64> {
    of_target(events)
        .find(|event| event.kind == EventKind::Executable as u32 && event.pid == pid && event.ns > since)
        .map(|event| event.ns)
}

/// When the process first opened a module, before `before`.
fn opened(events: &[Event], pid: u32, before: u64) -> Option<u64> {
    let opening =
        |event: &&Event| event.kind == EventKind::Opened as u32 && event.pid == pid && event.ns < before;
    of_target(events).find(opening).map(|event| event.ns)
}

fn last_executable(events: &[Event], pid: u32, since: u64, before: u64) -> Option<u64> {
    of_target(events)
        .filter(|event| event.kind == EventKind::Executable as u32 && event.pid == pid)
        .map(|event| event.ns)
        .filter(|ns| (since..before).contains(ns))
        .last()
}

fn of_target(events: &[Event]) -> impl Iterator<Item = &Event> {
    events.iter().filter(|event| event.helper == 0)
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

    fn inferred(events: &[Event]) -> Vec<(InstantName, u64, Option<Confidence>)> {
        let mut instants = Instants::new();
        add(events, &mut instants);
        let of = |(name, instant): (InstantName, Instant)| (name, instant.ns, instant.confidence);
        instants.into_iter().map(of).collect()
    }

    #[test]
    fn a_jit_is_ready_at_its_last_code_before_the_first_output() {
        let events = [
            event(10, 7, EventKind::Executable, 0), // the dynamic linker's
            event(20, 7, EventKind::Opened, 0),
            event(30, 7, EventKind::Executable, 0),
            event(40, 7, EventKind::Executable, 0),
            event(50, 7, EventKind::Output, 1),
            event(60, 7, EventKind::Executable, 0),
        ];
        let expected = [
            (InstantName::ModuleReady, 40, Some(Confidence::UpperBound)),
            (InstantName::Guest, 50, Some(Confidence::UpperBound)),
        ];
        assert_eq!(inferred(&events), expected);
    }

    #[test]
    fn a_start_that_was_seen_itself_is_no_conclusion() {
        let events = [
            event(20, 7, EventKind::Opened, 0),
            event(30, 7, EventKind::Executable, 0),
            event(35, 7, EventKind::Mark, Mark::Start as u64),
            event(50, 7, EventKind::Output, 1),
        ];
        let expected = [
            (InstantName::ModuleReady, 30, Some(Confidence::Inferred)),
            (InstantName::Guest, 35, None),
        ];
        assert_eq!(inferred(&events), expected);
    }

    /// WasmEdge logs to standard output while it compiles.
    #[test]
    fn what_is_printed_before_any_code_is_made_is_the_engines() {
        let events = [
            event(20, 7, EventKind::Opened, 0),
            event(30, 7, EventKind::Output, 1),
            event(40, 7, EventKind::Executable, 0),
            event(50, 7, EventKind::Output, 1),
        ];
        let expected = [
            (InstantName::ModuleReady, 40, Some(Confidence::UpperBound)),
            (InstantName::Guest, 50, Some(Confidence::UpperBound)),
        ];
        assert_eq!(inferred(&events), expected);
        assert_eq!(inferred(&events[..3]), [], "a guest that printed nothing");
    }

    #[test]
    fn an_interpreter_has_a_guest_and_no_code() {
        let events = [
            event(10, 7, EventKind::Executable, 0),
            event(20, 7, EventKind::Opened, 0),
            event(50, 7, EventKind::Output, 1),
        ];
        assert_eq!(inferred(&events).len(), 1);
    }

    #[test]
    fn what_prints_without_a_module_or_beside_the_engine_tells_nothing() {
        let before = [
            event(10, 7, EventKind::Output, 2),
            event(20, 7, EventKind::Opened, 0),
        ];
        assert_eq!(inferred(&before), []);
        let beside = [
            event(20, 7, EventKind::Opened, 0),
            event(30, 8, EventKind::Output, 1),
        ];
        assert_eq!(inferred(&beside), []);
    }
}
