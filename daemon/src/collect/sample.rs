//! From what was seen of a run to its sample: instants, metrics, validity.

use std::collections::BTreeMap;

use wbd_abi::EventKind;
use wbd_linux::perf::{Counted, HardwareEvent, Level};
use wbd_linux::process::Ended;
use wbd_model::workload::Output;
use wbd_model::{Confidence, Exit, InstantName, Instants, Metric, Sample};

use super::{noise, switches};
use crate::launch::observed::Observed;

/// Most characters of standard error that a note quotes.
const QUOTE_CHARS: usize = 300;

/// What a run is held against.
pub(crate) struct Expected<'a> {
    /// The output it must have.
    pub(crate) output: Option<&'a Output>,
    /// How its guest is seen.
    pub(crate) guest: Guest,
}

/// How the first instruction of the user's own code is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guest {
    /// It is the executable's own first: its ELF entry point.
    Entry,
    /// The runner marks it.
    Marked,
    /// By what the kernel sees of an engine that marks nothing.
    Inferred,
    /// In the container that the program, a client of a container engine, has made.
    Contained,
}

/// Makes the sample of run `run`, at place `order` in the experiment.
pub(crate) fn of_process(observed: Observed, expected: &Expected<'_>, run: u32, order: u32) -> Sample {
    let mut instants = super::instants::of_process(&observed.events, observed.root);
    match expected.guest {
        Guest::Entry => {
            super::instants::entry_by_probe(&observed.events, observed.root, &mut instants);
            super::instants::guest_is_entry(&mut instants);
        }
        Guest::Marked => {
            super::instants::entry_by_probe(&observed.events, observed.root, &mut instants);
        }
        Guest::Inferred => super::inferred::add(&observed.events, &mut instants),
        Guest::Contained => super::container::add_to_client(&observed.events, &mut instants),
    }
    let mut metrics = BTreeMap::new();
    time_metrics(&instants, &mut metrics);
    counted_metrics(&observed, &mut metrics);
    scheduling_metrics(&observed, &mut metrics);
    noise::metrics(&observed, &instants, &mut metrics);
    noise::process_metrics(&observed, &mut metrics);
    memory_metrics(&observed, &mut metrics);
    finish(observed, expected, instants, metrics, run, order)
}

/// Judges a run and writes down why it does not count, if it does not.
pub(crate) fn finish(
    mut observed: Observed,
    expected: &Expected<'_>,
    instants: Instants,
    metrics: BTreeMap<Metric, u64>,
    run: u32,
    order: u32,
) -> Sample {
    observed.notes.extend(multiplexed(&observed));
    observed.notes.extend(bounded(&instants));
    let mut threads = Vec::new();
    if observed.switches_seen {
        let (found, left_out) = switches::threads(&observed.events, observed.root);
        threads = found;
        observed.notes.extend(left_out);
    }
    let mut faults = observed.faults.clone();
    faults.extend(lost(&observed));
    if faults.is_empty() {
        let unseen = || unseen_end(&observed, &instants);
        faults.extend(
            bad_end(&observed)
                .or_else(unseen)
                .or_else(|| wrong_output(&observed, expected.output)),
        );
    }
    let exit = match observed.ended {
        Some(Ended::Code(code)) => Exit::Code(code),
        Some(Ended::Signal(signal)) => Exit::Signal(signal),
        None => Exit::NotStarted(faults.first().cloned().unwrap_or_default()),
    };
    let valid = faults.is_empty();
    let notes = faults.into_iter().chain(observed.notes).collect();
    Sample {
        run,
        order,
        valid,
        exit,
        instants,
        metrics,
        notes,
        threads,
    }
}

/// Counters the processor shared out in turns: their figures are scaled up, or not there, and that is said. In tens of
/// percent, so that runs which met the same are remarked upon together.
fn multiplexed(observed: &Observed) -> Vec<String> {
    let scaled = observed
        .counters
        .iter()
        .filter(|(_, reading)| reading.is_scaled());
    scaled
        .map(|(counted, reading)| (metric_of(*counted), reading))
        .map(|(metric, reading)| match (reading.count(), reading.percent()) {
            (None, _) => format!("{metric} was not counted: the processor's counters were all taken"),
            (Some(_), 0..5) => format!("{metric} was counted less than 5 % of the time and scaled up"),
            (Some(_), percent) => {
                let tens = (percent + 5) / 10 * 10;
                format!("{metric} was counted about {tens} % of the time and scaled up")
            }
        })
        .collect()
}

/// A guest that shows by its effects alone began no later than seen.
fn bounded(instants: &Instants) -> Option<String> {
    let guest = instants.get(&InstantName::Guest)?;
    (guest.confidence == Some(Confidence::UpperBound)).then(|| {
        format!(
            "startup is an upper bound and execution a lower one: guest was seen by its {}",
            guest.method
        )
    })
}

fn lost(observed: &Observed) -> Option<String> {
    let lost = observed.state.lost;
    (lost > 0).then(|| {
        format!("{lost} kernel events were lost: the run forked or executed faster than they could be read")
    })
}

fn bad_end(observed: &Observed) -> Option<String> {
    let what = match observed.ended? {
        Ended::Code(0) => return None,
        Ended::Code(code) => format!("exited with code {code}"),
        Ended::Signal(signal) => format!("was ended by signal {signal} ({})", signal_name(signal)),
    };
    let said = quote(&observed.stderr);
    Some(if said.is_empty() {
        what
    } else {
        format!("{what}: {said}")
    })
}

/// A process that leaves its cgroup, as root's can, is lost to the kernel side, and so are its descendants.
fn unseen_end(observed: &Observed, instants: &Instants) -> Option<String> {
    let seen = observed.ended.is_none() || instants.contains_key(&InstantName::Exit);
    (!seen).then(|| "its end was not seen: it left the cgroup of its run".to_owned())
}

fn signal_name(signal: i32) -> &'static str {
    nix::sys::signal::Signal::try_from(signal).map_or("real-time", |signal| signal.as_str())
}

/// The last lines of standard error, on one line.
fn quote(stderr: &str) -> String {
    let line = stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" | ");
    let surplus = line.chars().count().saturating_sub(QUOTE_CHARS);
    line.chars().skip(surplus).collect()
}

fn wrong_output(observed: &Observed, expected: Option<&Output>) -> Option<String> {
    let expected = expected?;
    let got = &observed.output;
    (got.bytes != expected.bytes || got.xxh3 != expected.xxh3).then(|| {
        format!(
            "printed something else than it must: {} bytes with XXH3 {} instead of {} bytes with {}",
            got.bytes, got.xxh3, expected.bytes, expected.xxh3
        )
    })
}

/// Metrics that are the time between two instants.
pub(crate) fn time_metrics(instants: &Instants, metrics: &mut BTreeMap<Metric, u64>) {
    use InstantName::*;
    for (metric, from, to) in [
        (Metric::Startup, Launch, Guest),
        (Metric::Execution, Guest, Exit),
        (Metric::Wall, Launch, Exit),
        (Metric::StartOnly, StartSent, Guest),
    ] {
        if let (Some(from), Some(to)) = (instants.get(&from), instants.get(&to)) {
            metrics.insert(metric, to.ns.saturating_sub(from.ns));
        }
    }
}

pub(crate) fn counted_metrics(observed: &Observed, metrics: &mut BTreeMap<Metric, u64>) {
    for &(counted, reading) in &observed.counters {
        metrics.extend(reading.count().map(|count| (metric_of(counted), count)));
    }
    metrics.extend(observed.cpu_ns.map(|ns| (Metric::CpuTime, ns)));
    metrics.insert(
        Metric::OutputBytes,
        observed.output.bytes + observed.output.error_bytes,
    );
}

/// The metric that a counter is.
pub(crate) fn metric_of(counted: Counted) -> Metric {
    match counted {
        Counted::TaskClock => Metric::CpuTime,
        Counted::PageFaults => Metric::PageFaults,
        Counted::ContextSwitches => Metric::ContextSwitches,
        Counted::Migrations => Metric::Migrations,
        Counted::Hardware(event, Level::All) => of_everyone(event),
        Counted::Hardware(event, Level::User) => of_user(event),
    }
}

fn of_everyone(event: HardwareEvent) -> Metric {
    match event {
        HardwareEvent::Cycles => Metric::Cycles,
        HardwareEvent::Instructions => Metric::Instructions,
        HardwareEvent::Branches => Metric::Branches,
        HardwareEvent::BranchMisses => Metric::BranchMisses,
        HardwareEvent::CacheMisses => Metric::CacheMisses,
        HardwareEvent::DtlbMisses => Metric::DtlbMisses,
        HardwareEvent::ItlbMisses => Metric::ItlbMisses,
    }
}

fn of_user(event: HardwareEvent) -> Metric {
    match event {
        HardwareEvent::Cycles => Metric::CyclesUser,
        HardwareEvent::Instructions => Metric::InstructionsUser,
        HardwareEvent::Branches => Metric::BranchesUser,
        HardwareEvent::BranchMisses => Metric::BranchMissesUser,
        HardwareEvent::CacheMisses => Metric::CacheMissesUser,
        HardwareEvent::DtlbMisses => Metric::DtlbMissesUser,
        HardwareEvent::ItlbMisses => Metric::ItlbMissesUser,
    }
}

/// What of the main thread's wall time it spent waiting for a CPU, and what waiting for anything else.
pub(crate) fn scheduling_metrics(observed: &Observed, metrics: &mut BTreeMap<Metric, u64>) {
    let delay_at = |kind: EventKind| {
        let of_root = |event: &&wbd_abi::Event| event.pid == observed.root && event.kind == kind as u32;
        observed
            .events
            .iter()
            .find(of_root)
            .map(|event| event.run_delay_ns)
    };
    let (Some(before), Some(after)) = (delay_at(EventKind::Launch), delay_at(EventKind::Exit)) else {
        return;
    };
    let waited = after.saturating_sub(before);
    metrics.insert(Metric::RunqueueWait, waited);
    if let (Some(on_cpu), Some(&wall)) = (observed.main_thread_ns, metrics.get(&Metric::Wall)) {
        metrics.insert(Metric::OffCpu, wall.saturating_sub(on_cpu).saturating_sub(waited));
    }
}

pub(crate) fn memory_metrics(observed: &Observed, metrics: &mut BTreeMap<Metric, u64>) {
    let peak = peak_resident_bytes(observed, observed.root);
    metrics.extend(peak.map(|bytes| (Metric::RssPeak, bytes)));
    metrics.extend(observed.memory_peak.map(|bytes| (Metric::CgroupPeak, bytes)));
}

/// Largest resident set of a process, where the kernel still had its memory map at its exit.
fn peak_resident_bytes(observed: &Observed, pid: u32) -> Option<u64> {
    let exit = |event: &&wbd_abi::Event| event.pid == pid && event.kind == EventKind::Exit as u32;
    let pages = observed.events.iter().find(exit)?.a;
    (pages > 0).then(|| pages.saturating_mul(procfs::page_size()))
}

#[cfg(test)]
mod tests {
    use wbd_abi::{Event, RunState};

    use super::*;
    use crate::launch::observed::Printed;

    /// A process whose end, and nothing else, was seen.
    fn ended(ended: Ended) -> Observed {
        let exit = Event {
            pid: 7,
            kind: EventKind::Exit as u32,
            ..Event::default()
        };
        Observed {
            root: 7,
            events: vec![exit],
            ended: Some(ended),
            ..Observed::default()
        }
    }

    fn sample(observed: Observed, output: Option<&Output>) -> Sample {
        of_process(
            observed,
            &Expected {
                output,
                guest: Guest::Entry,
            },
            0,
            0,
        )
    }

    #[test]
    fn a_run_with_a_lost_event_does_not_count() {
        let state = RunState {
            lost: 1,
            ..RunState::default()
        };
        let sample = sample(
            Observed {
                state,
                ..ended(Ended::Code(0))
            },
            None,
        );
        assert!(
            !sample.valid && sample.notes[0].contains("lost"),
            "{:?}",
            sample.notes
        );
    }

    #[test]
    fn a_run_whose_end_was_not_seen_does_not_count() {
        let sample = sample(
            Observed {
                events: Vec::new(),
                ..ended(Ended::Code(0))
            },
            None,
        );
        assert!(
            !sample.valid && sample.notes[0].contains("left the cgroup"),
            "{:?}",
            sample.notes
        );
    }

    #[test]
    fn a_run_that_prints_something_else_does_not_count() {
        let output = Printed {
            bytes: 2,
            xxh3: "aa".into(),
            error_bytes: 0,
        };
        let right = Output {
            bytes: 2,
            xxh3: "aa".into(),
        };
        let wrong = Output {
            bytes: 2,
            xxh3: "ab".into(),
        };
        let observed = || Observed {
            output: output.clone(),
            ..ended(Ended::Code(0))
        };
        assert!(sample(observed(), Some(&right)).valid);
        assert!(!sample(observed(), Some(&wrong)).valid);
    }

    #[test]
    fn an_end_by_a_signal_is_told_by_name_with_the_last_words() {
        let observed = Observed {
            stderr: "first\n\nlast".into(),
            ..ended(Ended::Signal(11))
        };
        let sample = sample(observed, None);
        assert_eq!(sample.notes, ["was ended by signal 11 (SIGSEGV): first | last"]);
        assert_eq!(sample.exit, Exit::Signal(11));
    }

    #[test]
    fn what_was_not_seen_is_absent_and_never_zero() {
        let sample = sample(ended(Ended::Code(0)), None);
        for metric in [
            Metric::Startup,
            Metric::Wall,
            Metric::RssPeak,
            Metric::CpuTime,
            Metric::RunqueueWait,
        ] {
            assert!(!sample.metrics.contains_key(&metric), "{metric}");
        }
    }

    #[test]
    fn waiting_for_a_cpu_before_the_launch_is_not_the_targets() {
        let event = |kind: EventKind, ns, run_delay_ns| Event {
            pid: 7,
            kind: kind as u32,
            ns,
            run_delay_ns,
            ..Event::default()
        };
        let events = vec![event(EventKind::Launch, 10, 100), event(EventKind::Exit, 50, 130)];
        let sample = sample(
            Observed {
                events,
                ..ended(Ended::Code(0))
            },
            None,
        );
        assert_eq!(sample.metrics[&Metric::RunqueueWait], 30);
    }
}
