//! From context switches to what each thread of a run did, moment by moment.

use std::collections::BTreeMap;

use wbd_abi::{COMM_LEN, Event, EventKind, LEFT_READY, LEFT_SLEEPING};
use wbd_model::thread::{Stretch, ThreadState, ThreadTrace};

/// Stretches that are kept of one run: those after them are left out, and that is said.
const MOST_STRETCHES: usize = 50_000;

/// A thread whose present stretch is open.
struct Open {
    trace: ThreadTrace,
    since_ns: u64,
    /// None once it has ended.
    state: Option<ThreadState>,
    cpu: Option<u32>,
}

/// The threads of a run, in the order in which they were first seen, and a note where some of it was left out.
pub(super) fn threads(events: &[Event], root: u32) -> (Vec<ThreadTrace>, Option<String>) {
    let mut order = Vec::new();
    let mut open: BTreeMap<u32, Open> = BTreeMap::new();
    let mut kept = 0;
    let own = events.iter().filter(|event| event.helper == wbd_abi::TARGET);
    for event in own {
        if event.kind == EventKind::Exit as u32 {
            kept += end(&mut open, event);
        }
        let Some((state, cpu)) = meaning(event, root) else {
            name(&mut open, event);
            continue;
        };
        let thread = open.entry(event.tid).or_insert_with(|| {
            order.push(event.tid);
            begun(event, state)
        });
        kept += usize::from(thread.pass(event, state, cpu));
        name(&mut open, event);
        if kept >= MOST_STRETCHES {
            break;
        }
    }
    let note = (kept >= MOST_STRETCHES)
        .then(|| format!("only the first {MOST_STRETCHES} stretches between switches were kept"));
    let threads = order.iter().filter_map(|tid| open.remove(tid));
    (threads.map(|thread| thread.trace).collect(), note)
}

/// What a thread does from an event on, if that is what the event tells; a state of none is its end.
fn meaning(event: &Event, root: u32) -> Option<(Option<ThreadState>, Option<u32>)> {
    let cpu = u32::try_from(event.a).ok();
    Some(match EventKind::from_raw(event.kind)? {
        EventKind::OnCpu => (Some(ThreadState::Running), cpu),
        EventKind::Ready => (Some(ThreadState::Ready), None),
        EventKind::OffCpu => match event.b {
            LEFT_READY => (Some(ThreadState::Ready), None),
            LEFT_SLEEPING => (Some(ThreadState::Sleeping), None),
            _ => (None, None),
        },
        // The first sign of the root, which runs.
        EventKind::Launch if event.pid == root && event.tid == root => (Some(ThreadState::Running), cpu),
        _ => return None,
    })
}

/// Ends the threads of a process with it: their last switch may come when the run has been told already.
fn end(open: &mut BTreeMap<u32, Open>, exit: &Event) -> usize {
    let own = open.values_mut().filter(|thread| thread.trace.pid == exit.pid);
    own.map(|thread| usize::from(thread.pass(exit, None, None))).sum()
}

fn begun(event: &Event, state: Option<ThreadState>) -> Open {
    // What is first seen to leave its CPU was on it until then; since when is not known.
    Open {
        trace: ThreadTrace {
            pid: event.pid,
            tid: event.tid,
            name: String::new(),
            stretches: Vec::new(),
        },
        since_ns: event.ns,
        state: state.or(Some(ThreadState::Running)),
        cpu: None,
    }
}

impl Open {
    /// Goes over to a new state; whether a stretch was closed by that.
    fn pass(&mut self, event: &Event, state: Option<ThreadState>, cpu: Option<u32>) -> bool {
        // One that is woken before it has left its CPU goes on running.
        let late = event.kind == EventKind::Ready as u32 && self.state == Some(ThreadState::Running);
        if late || (state == self.state && state != Some(ThreadState::Running)) {
            return false;
        }
        let left = u32::try_from(event.a).ok();
        let was = self.state.filter(|_| event.ns > self.since_ns);
        if let Some(was) = was {
            self.trace.stretches.push(Stretch {
                from_ns: self.since_ns,
                to_ns: event.ns,
                state: was,
                cpu: match (was, event.kind == EventKind::OffCpu as u32) {
                    (ThreadState::Running, true) => left,
                    (ThreadState::Running, false) => self.cpu,
                    _ => None,
                },
            });
        }
        (self.since_ns, self.state, self.cpu) = (event.ns, state, cpu);
        was.is_some()
    }
}

/// Notes the name a thread bears in an event that it caused itself.
fn name(open: &mut BTreeMap<u32, Open>, event: &Event) {
    let Some(thread) = open.get_mut(&event.tid).filter(|_| event.comm != [0; COMM_LEN]) else {
        return;
    };
    let length = event.comm.iter().position(|&byte| byte == 0).unwrap_or(COMM_LEN);
    let name = String::from_utf8_lossy(&event.comm[..length]);
    if thread.trace.name != name {
        thread.trace.name = name.into_owned();
    }
}

#[cfg(test)]
mod tests {
    use wbd_abi::LEFT_ENDED;

    use super::*;

    fn event(ns: u64, tid: u32, kind: EventKind, [a, b]: [u64; 2]) -> Event {
        let mut event = Event {
            ns,
            pid: 7,
            tid,
            kind: kind as u32,
            a,
            b,
            ..Event::default()
        };
        if !matches!(kind, EventKind::OnCpu | EventKind::Ready) {
            event.comm[..4].copy_from_slice(b"name");
        }
        event
    }

    /// A root that makes a thread, sleeps, is woken, waits for its CPU and ends.
    fn life() -> Vec<Event> {
        use EventKind::{Launch, OffCpu, OnCpu, Ready};
        vec![
            event(10, 7, Launch, [1, 0]),
            event(20, 8, Ready, [1, 0]),
            event(25, 8, OnCpu, [0, 0]),
            event(30, 7, OffCpu, [1, LEFT_SLEEPING]),
            event(40, 7, Ready, [0, 0]),
            event(41, 7, Ready, [0, 0]),
            event(45, 8, OffCpu, [0, LEFT_READY]),
            event(46, 7, OnCpu, [0, 0]),
            event(50, 7, OffCpu, [0, LEFT_READY]),
            event(55, 7, OnCpu, [1, 0]),
            event(60, 7, EventKind::Exit, [0, 0]),
            event(65, 7, OffCpu, [1, LEFT_ENDED]),
        ]
    }

    fn told(trace: &ThreadTrace) -> Vec<(u64, u64, ThreadState, Option<u32>)> {
        let one = |s: &Stretch| (s.from_ns, s.to_ns, s.state, s.cpu);
        trace.stretches.iter().map(one).collect()
    }

    #[test]
    fn every_moment_of_a_thread_is_in_one_stretch() {
        use ThreadState::{Ready, Running, Sleeping};
        let (threads, note) = threads(&life(), 7);
        assert_eq!((threads.len(), note), (2, None));
        assert_eq!(
            told(&threads[0]),
            [
                (10, 30, Running, Some(1)),
                (30, 40, Sleeping, None),
                (40, 46, Ready, None),
                (46, 50, Running, Some(0)),
                (50, 55, Ready, None),
                (55, 60, Running, Some(1)),
            ]
        );
        assert_eq!(
            told(&threads[1]),
            [
                (20, 25, Ready, None),
                (25, 45, Running, Some(0)),
                (45, 60, Ready, None),
            ]
        );
        assert_eq!(threads[1].name, "name");
    }

    #[test]
    fn a_program_that_was_never_switched_ran_on_one_cpu_from_its_launch_to_its_end() {
        let events = [
            event(10, 7, EventKind::Launch, [1, 0]),
            event(30, 7, EventKind::Exit, [0, 0]),
        ];
        let (threads, _) = threads(&events, 7);
        assert_eq!(told(&threads[0]), [(10, 30, ThreadState::Running, Some(1))]);
    }

    #[test]
    fn so_many_that_some_are_left_out_is_said() {
        let switch = |at: u64| {
            let ns = 2 * at + 1;
            [
                event(ns, 7, EventKind::OnCpu, [0, 0]),
                event(ns + 1, 7, EventKind::OffCpu, [0, LEFT_READY]),
            ]
        };
        let events: Vec<Event> = (0..MOST_STRETCHES as u64).flat_map(switch).collect();
        let (threads, note) = threads(&events, 7);
        assert_eq!(threads[0].stretches.len(), MOST_STRETCHES);
        assert!(note.unwrap().contains("50000"));
    }
}
