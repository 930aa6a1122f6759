//! An experiment's runs in the Trace Event Format, the JSON that the Perfetto viewer and Chrome's tracing page open.
//!
//! Each cell is a process of the trace and each of its runs a thread, so that a run is one track. On it the whole run
//! is a slice, from its first instant to its last, and the phases between consecutive instants are slices inside it,
//! end to end, those that took time; every instant is there as an instant too, with the method that saw it. Times are microseconds since
//! the experiment's first instant, with nanoseconds as decimals. A run of which nothing was seen is left out.
//!
//! Where context switches were recorded, each thread of a run has a track below its run's: slices of being on a CPU,
//! waiting for one, and sleeping, end to end. Else the run's own slice tells how long it waited in all.

use serde_json::{Value, json};
use wbd_model::thread::{Stretch, ThreadState, ThreadTrace};
use wbd_model::{Cell, Exit, Experiment, Instant, InstantName, Sample};

use super::workload;

/// The trace of an experiment with its samples.
pub(crate) fn trace(experiment: &Experiment) -> Value {
    let instants = |cell: &Cell| {
        cell.samples
            .iter()
            .filter_map(|sample| Some(in_time(sample).first()?.1.ns))
            .min()
    };
    let origin_ns = experiment.cells.iter().filter_map(instants).min().unwrap_or(0);
    let cells = (1_u64..).zip(&experiment.cells);
    let events: Vec<Value> = cells
        .flat_map(|(pid, cell)| process(pid, cell, origin_ns))
        .collect();
    json!({
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "otherData": {
            "experiment": experiment.experiment,
            "seed": experiment.seed,
            "kernel": experiment.machine.kernel,
            "cpu": experiment.machine.cpu,
            "clock": "CLOCK_MONOTONIC",
            "origin_ns": origin_ns,
        },
    })
}

fn process(pid: u64, cell: &Cell, origin_ns: u64) -> Vec<Value> {
    let name = format!("{}/{}", cell.target, workload(&cell.workload, cell.size));
    let mut events = vec![named("process_name", pid, 0, &name)];
    let mut tid = 0; // which would be drawn as the process's own
    for sample in &cell.samples {
        let mut next = || {
            tid += 1;
            Track { pid, tid, origin_ns }
        };
        events.extend(run(sample, &next()));
        for thread in &sample.threads {
            events.extend(switches(sample.run, thread, &next()));
        }
    }
    events
}

fn named(what: &str, pid: u64, tid: u32, name: &str) -> Value {
    json!({"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}})
}

/// The events of one run's track.
fn run(sample: &Sample, track: &Track) -> Vec<Value> {
    let instants = in_time(sample);
    let (Some((_, first)), Some((_, last))) = (instants.first(), instants.last()) else {
        return Vec::new();
    };
    let name = if sample.valid {
        "run"
    } else {
        "run that does not count"
    };
    let took_time = |pair: &&[(InstantName, &Instant)]| pair[0].1.ns < pair[1].1.ns;
    let phases = instants.windows(2).filter(took_time).flat_map(|pair| {
        let [(from, begin), (to, end)] = [pair[0], pair[1]];
        track.slice("phase", &format!("{from} to {to}"), (begin.ns, end.ns), json!({}))
    });
    let [begin, end] = track.slice("run", name, (first.ns, last.ns), about(sample));
    let mut events = vec![track.named(&format!("run {}", sample.run)), begin];
    events.extend(phases);
    events.push(end);
    events.extend(
        instants
            .iter()
            .map(|(name, instant)| track.instant(*name, instant)),
    );
    events
}

/// The events of one thread's track.
fn switches(run: u32, thread: &ThreadTrace, track: &Track) -> Vec<Value> {
    let name = format!("run {run}: {} {}", thread.name, thread.tid);
    let slice = |stretch: &Stretch| {
        let what = match (stretch.state, stretch.cpu) {
            (ThreadState::Running, Some(cpu)) => format!("CPU {cpu}"),
            (state, _) => state.as_str().to_owned(),
        };
        let args = json!({"state": stretch.state, "cpu": stretch.cpu, "pid": thread.pid, "tid": thread.tid});
        track.slice("switch", &what, (stretch.from_ns, stretch.to_ns), args)
    };
    let named = std::iter::once(track.named(&name));
    named.chain(thread.stretches.iter().flat_map(slice)).collect()
}

/// A run's instants by the time they were seen at.
fn in_time(sample: &Sample) -> Vec<(InstantName, &Instant)> {
    let mut instants: Vec<_> = sample
        .instants
        .iter()
        .map(|(name, instant)| (*name, instant))
        .collect();
    instants.sort_by_key(|(name, instant)| (instant.ns, *name));
    instants
}

fn about(sample: &Sample) -> Value {
    let exit = match &sample.exit {
        Exit::Code(code) => format!("code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::NotStarted(why) => format!("not started: {why}"),
    };
    json!({
        "order": sample.order,
        "valid": sample.valid,
        "exit": exit,
        "metrics": sample.metrics,
        "notes": sample.notes,
    })
}

struct Track {
    pid: u64,
    tid: u32,
    origin_ns: u64,
}

impl Track {
    fn named(&self, name: &str) -> Value {
        named("thread_name", self.pid, self.tid, name)
    }

    /// Its beginning and its end, which are two events: a reader that adds a length to a beginning gets another end, by a
    /// rounding, than the next slice's beginning, and may take the one for inside the other.
    fn slice(&self, category: &str, name: &str, (from, until): (u64, u64), args: Value) -> [Value; 2] {
        let event = |ph: &str, ns: u64| {
            json!({
                "ph": ph, "cat": category, "name": name, "pid": self.pid, "tid": self.tid, "ts": self.micros(ns),
            })
        };
        let mut begin = event("B", from);
        begin["args"] = args;
        [begin, event("E", until)]
    }

    fn instant(&self, name: InstantName, instant: &Instant) -> Value {
        json!({
            "ph": "i", "cat": "instant", "s": "t", "name": name.as_str(), "pid": self.pid, "tid": self.tid,
            "ts": self.micros(instant.ns), "args": {"method": instant.method, "confidence": instant.confidence},
        })
    }

    /// Exact to the nanosecond for a hundred days.
    fn micros(&self, ns: u64) -> f64 {
        ns.saturating_sub(self.origin_ns) as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use wbd_model::InstantName as I;

    use super::*;
    use crate::render::specimen;

    /// Begin and end in nanoseconds of all slices of each track, by their beginnings.
    fn slices(trace: &Value) -> BTreeMap<(u64, u64), Vec<(u64, u64)>> {
        let mut tracks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut open: BTreeMap<_, Vec<(usize, Value)>> = BTreeMap::new();
        for event in trace["traceEvents"].as_array().unwrap() {
            let ns = || (event["ts"].as_f64().unwrap() * 1000.0).round() as u64;
            let track: (u64, u64) = ["pid", "tid"].map(|field| event[field].as_u64().unwrap()).into();
            let slices = tracks.entry(track).or_default();
            let open = open.entry(track).or_default();
            if event["ph"] == "B" {
                open.push((slices.len(), event["name"].clone()));
                slices.push((ns(), 0));
            } else if event["ph"] == "E" {
                let (place, name) = open.pop().unwrap();
                assert_eq!(name, event["name"], "slices of a track end inside out");
                slices[place].1 = ns();
            }
        }
        assert!(open.values().all(Vec::is_empty));
        tracks.retain(|_, slices| !slices.is_empty());
        tracks
    }

    fn specimen() -> Experiment {
        let mut experiment = specimen::experiment();
        for cell in &mut experiment.cells {
            cell.samples = specimen::samples();
            let chain = [
                (I::Exec, 83_001),
                (I::FirstUser, 86_000),
                (I::Entry, 86_000),
                (I::Exit, 1_000_300_123),
            ];
            let seen = chain.map(|(name, ns)| (name, Instant::seen(ns, "method")));
            cell.samples[0].instants.extend(seen);
        }
        experiment
    }

    #[test]
    fn slices_of_a_track_lie_beside_or_inside_each_other() {
        let tracks = slices(&trace(&specimen()));
        assert!(!tracks.is_empty());
        for (track, slices) in tracks {
            for (a, b) in slices.iter().flat_map(|a| slices.iter().map(move |b| (a, b))) {
                let apart = a.1 <= b.0 || b.1 <= a.0;
                let inside = (a.0 <= b.0 && b.1 <= a.1) || (b.0 <= a.0 && a.1 <= b.1);
                assert!(apart || inside, "{track:?}: {a:?} and {b:?} overlap");
            }
        }
    }

    #[test]
    fn the_phases_of_a_run_fill_it() {
        for (track, slices) in slices(&trace(&specimen())) {
            let (whole, phases) = slices.split_first().unwrap();
            let sum: u64 = phases.iter().map(|(from, until)| until - from).sum();
            assert_eq!(sum, whole.1 - whole.0, "{track:?}");
        }
    }

    #[test]
    fn every_instant_is_there_with_its_time() {
        let experiment = specimen();
        let trace = trace(&experiment);
        let origin = trace["otherData"]["origin_ns"].as_u64().unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        for (pid, cell) in (1_u64..).zip(&experiment.cells) {
            for sample in &cell.samples {
                for (name, instant) in &sample.instants {
                    let same = events.iter().find(|event| {
                        event["ph"] == "i"
                            && event["pid"] == pid
                            && event["tid"] == sample.run + 1
                            && event["name"] == name.as_str()
                    });
                    let ns = same.unwrap()["ts"].as_f64().unwrap() * 1000.0;
                    assert_eq!(ns.round() as u64 + origin, instant.ns);
                }
            }
        }
    }
    #[test]
    fn a_thread_has_a_track_of_its_own_and_its_switches_are_on_it_end_to_end() {
        let mut experiment = specimen();
        let stretch = |from_ns: u64, to_ns: u64, state, cpu| Stretch {
            from_ns: 1_000_000_000_u64 + from_ns,
            to_ns: 1_000_000_000_u64 + to_ns,
            state,
            cpu,
        };
        experiment.cells[0].samples[0].threads = vec![ThreadTrace {
            pid: 4711,
            tid: 4711,
            name: "noop".into(),
            stretches: vec![
                stretch(0, 40, ThreadState::Running, Some(1)),
                stretch(40, 50, ThreadState::Ready, None),
                stretch(50, 90, ThreadState::Running, None),
            ],
        }];
        let trace = trace(&experiment);
        let events = trace["traceEvents"].as_array().unwrap();
        let switches: Vec<&Value> = events.iter().filter(|event| event["cat"] == "switch").collect();
        let begun = switches.iter().filter(|event| event["ph"] == "B");
        let names: Vec<&str> = begun.map(|event| event["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["CPU 1", "waiting for a CPU", "running"]);
        for pair in switches[1..].chunks_exact(2) {
            assert_eq!((&pair[0]["ph"], &pair[1]["ph"]), (&json!("E"), &json!("B")));
            assert_eq!(pair[0]["ts"], pair[1]["ts"]);
        }
        let track = |event: &&Value| event["ph"] == "M" && event["tid"] == switches[0]["tid"];
        let title = events
            .iter()
            .filter(track)
            .find(|event| event["pid"] == 1)
            .unwrap();
        assert_eq!(title["args"]["name"], "run 0: noop 4711");
        let own = |event: &&Value| event["cat"] == "phase" && event["tid"] == switches[0]["tid"];
        assert!(
            !events.iter().filter(own).any(|event| event["pid"] == 1),
            "a run's own track is another"
        );
    }
}
