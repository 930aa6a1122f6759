//! What of a run's time was not its own: waiting for a CPU, interrupts, stolen time; and the times without it.
//!
//! The kernel side stamps each event of the root process with what has disturbed its main thread so far, so a
//! time between two instants that are such events can be cleared of it. Other threads' and descendants' waiting
//! is not known, and stays in.

use std::collections::BTreeMap;

use wbd_abi::{Event, Usage};
use wbd_model::{InstantName, Instants, Metric};

use crate::launch::observed::Observed;

type Metrics = BTreeMap<Metric, u64>;

/// Adds what disturbed the main thread, and the times without it.
pub(crate) fn metrics(observed: &Observed, instants: &Instants, metrics: &mut Metrics) {
    use InstantName::{Exit, Guest, Launch};
    let at = |name| stamped(observed, instants, name);
    let spans = [
        (
            Some(Metric::StartupWait),
            Metric::NetStartup,
            at(Launch),
            at(Guest),
        ),
        (
            Some(Metric::ExecutionWait),
            Metric::NetExecution,
            at(Guest),
            at(Exit),
        ),
        (None, Metric::NetWall, at(Launch), at(Exit)),
    ];
    for (wait, net, from, to) in spans {
        let Some((from, to)) = from.zip(to) else { continue };
        metrics.extend(wait.map(|wait| (wait, waited(from, to))));
        metrics.extend(observed.interrupts_seen.then(|| (net, without(from, to))));
    }
    if let Some(exit) = at(Exit) {
        interruptions(observed, exit, metrics);
    }
}

/// Adds what is known of a root process from its launch on, and of what it made.
pub(crate) fn process_metrics(observed: &Observed, metrics: &mut Metrics) {
    let state = &observed.state;
    metrics.insert(Metric::Processes, state.forks);
    metrics.insert(Metric::Threads, state.threads);
    // A process that ran has faulted; where nothing was noted, its end was not seen.
    if state.at_exit == Usage::default() {
        return;
    }
    let (before, after) = (state.at_launch, state.at_exit);
    let used = [
        (
            Metric::VoluntarySwitches,
            before.voluntary_switches,
            after.voluntary_switches,
        ),
        (
            Metric::InvoluntarySwitches,
            before.involuntary_switches,
            after.involuntary_switches,
        ),
        (Metric::MinorFaults, before.minor_faults, after.minor_faults),
        (Metric::MajorFaults, before.major_faults, after.major_faults),
    ];
    metrics.extend(used.map(|(metric, before, after)| (metric, after.saturating_sub(before))));
    let all = state.used;
    metrics.extend([
        (Metric::PageFaults, all.minor_faults + all.major_faults),
        (
            Metric::ContextSwitches,
            all.voluntary_switches + all.involuntary_switches,
        ),
        (Metric::Migrations, state.migrations),
    ]);
}

fn interruptions(observed: &Observed, exit: &Event, metrics: &mut Metrics) {
    if observed.interrupts_seen {
        metrics.insert(Metric::InterruptTime, exit.interrupt_ns);
        metrics.insert(Metric::Interrupts, observed.state.interrupts);
    }
    // The clock counts from the machine's start: at 0 it never ran.
    if observed.state.queue_stolen_ns > 0 {
        metrics.insert(Metric::Steal, exit.stolen_ns);
    }
}

/// The event of the root process that an instant was taken from.
fn stamped<'a>(observed: &'a Observed, instants: &Instants, name: InstantName) -> Option<&'a Event> {
    let ns = instants.get(&name)?.ns;
    let of_root = |event: &&Event| event.pid == observed.root && event.helper == 0 && event.ns == ns;
    observed.events.iter().find(of_root)
}

fn waited(from: &Event, to: &Event) -> u64 {
    to.run_delay_ns.saturating_sub(from.run_delay_ns)
}

/// The time between two events that was the main thread's own. What was stolen while it waited for its CPU is
/// in its waiting already; theft is taken to hit waiting and working alike.
fn without(from: &Event, to: &Event) -> u64 {
    let span = to.ns.saturating_sub(from.ns);
    let own = span.saturating_sub(waited(from, to));
    let interrupted = to.interrupt_ns.saturating_sub(from.interrupt_ns);
    let stolen = to.stolen_ns.saturating_sub(from.stolen_ns);
    let stolen = u128::from(stolen) * u128::from(own) / u128::from(span.max(1));
    own.saturating_sub(interrupted)
        .saturating_sub(u64::try_from(stolen).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use wbd_abi::{EventKind, RunState};
    use wbd_model::Instant;

    use super::*;

    fn event(kind: EventKind, ns: u64, [run_delay_ns, interrupt_ns, stolen_ns]: [u64; 3]) -> Event {
        Event {
            ns,
            pid: 7,
            kind: kind as u32,
            run_delay_ns,
            interrupt_ns,
            stolen_ns,
            ..Event::default()
        }
    }

    fn observed(interrupts_seen: bool) -> Observed {
        Observed {
            root: 7,
            interrupts_seen,
            events: vec![
                event(EventKind::Launch, 1_000, [500, 0, 0]),
                event(EventKind::Entry, 2_000, [800, 10, 0]),
                event(EventKind::Exit, 6_000, [2_800, 60, 100]),
            ],
            state: RunState {
                interrupts: 3,
                queue_stolen_ns: 9,
                ..RunState::default()
            },
            ..Observed::default()
        }
    }

    fn measured(observed: &Observed, launch: u64) -> Metrics {
        let at = |ns| Instant::seen(ns, "test");
        let names = [InstantName::Launch, InstantName::Guest, InstantName::Exit];
        let instants = names.into_iter().zip([launch, 2_000, 6_000].map(at)).collect();
        let mut found = Metrics::new();
        metrics(observed, &instants, &mut found);
        found
    }

    #[test]
    fn a_time_is_cleared_of_waiting_interrupts_and_the_theft_from_its_own_part() {
        let found = measured(&observed(true), 1_000);
        assert_eq!(
            (found[&Metric::StartupWait], found[&Metric::ExecutionWait]),
            (300, 2_000)
        );
        assert_eq!(found[&Metric::NetStartup], 1_000 - 300 - 10);
        assert_eq!(found[&Metric::NetExecution], 4_000 - 2_000 - 50 - 100 / 2);
        assert_eq!(
            (found[&Metric::InterruptTime], found[&Metric::Interrupts]),
            (60, 3)
        );
        assert_eq!(found[&Metric::Steal], 100);
    }

    #[test]
    fn a_time_that_begins_with_a_request_to_an_engine_has_no_net() {
        let found = measured(&observed(true), 500);
        assert!(!found.contains_key(&Metric::NetWall) && !found.contains_key(&Metric::StartupWait));
        assert!(found.contains_key(&Metric::NetExecution));
    }

    #[test]
    fn without_interrupts_seen_nothing_is_net() {
        let found = measured(&observed(false), 1_000);
        assert_eq!(
            found.keys().copied().collect::<Vec<_>>(),
            [Metric::StartupWait, Metric::ExecutionWait, Metric::Steal]
        );
    }

    #[test]
    fn what_a_process_used_before_its_launch_is_not_its_own() {
        let usage = |a| Usage::from([a, a + 1, a + 2, a + 3]);
        let state = RunState {
            at_launch: usage(10),
            at_exit: usage(30),
            ..RunState::default()
        };
        let mut found = Metrics::new();
        process_metrics(
            &Observed {
                state,
                ..Observed::default()
            },
            &mut found,
        );
        assert_eq!(found[&Metric::MajorFaults], 20);
        let mut unseen = Metrics::new();
        process_metrics(&Observed::default(), &mut unseen);
        assert!(!unseen.contains_key(&Metric::MajorFaults));
    }
}
