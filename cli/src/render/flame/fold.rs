//! A run's stacks, folded: each stack on one line, with the part of the run's time that was spent there.
//!
//! The kernel's own account says how long a thread was on a CPU, and the clock's looks divide that among stacks. The main
//! thread's waits are the run's own time too, and so are those of a thread whose end it awaited. Of all other threads
//! only what they did on a CPU is drawn: a pool of threads without work waits all the time and delays nobody.

use std::collections::{BTreeMap, BTreeSet};

use wbd_model::profile::{Counted, Frame, Layer, Profile, Stack, Thread, Waker};

use crate::render::table::plain;

/// Functions of the kernel that lead to a probe, by the beginnings of their names.
const PROBES: [&str; 3] = ["bpf_trace_run", "__traceiter_", "__bpf_trace_"];

/// Nanoseconds by stack, from the outermost frame to the innermost.
pub(super) type Folded = BTreeMap<String, f64>;

/// Folds a run; times are as without probes, if these made it `slowdown` times as long.
///
/// Every frame ends in a bracket: no name is then the beginning of another, and sorted lines keep what is below a frame
/// together.
pub(super) fn fold(profile: &Profile, slowdown: f64) -> Folded {
    let followed = followed(&profile.threads);
    let mut folded = Folded::new();
    for thread in &profile.threads {
        let line = Line {
            label: label(thread, &profile.threads),
            scale: 1.0 / slowdown,
            folded: &mut folded,
        };
        line.live(thread, &profile.stacks, followed.contains(&thread.tid));
    }
    folded
}

/// The main thread, and those for whose end a followed one waited.
fn followed(threads: &[Thread]) -> BTreeSet<u32> {
    let mut followed = BTreeSet::new();
    let mut next: Vec<u32> = threads.first().map(|root| root.tid).into_iter().collect();
    while let Some(tid) = next.pop() {
        let thread = threads.iter().find(|thread| thread.tid == tid);
        if let Some(thread) = thread.filter(|_| followed.insert(tid)) {
            next.extend(thread.waits.iter().filter_map(|wait| match wait.waker {
                Waker::End(tid) => Some(tid),
                _ => None,
            }));
        }
    }
    followed
}

/// A thread by what it is called in both runs: numbers differ.
fn label(thread: &Thread, threads: &[Thread]) -> String {
    let root = threads.first();
    let name = clean(&thread.name);
    match root {
        Some(root) if root.tid == thread.tid => "[main thread]".to_owned(),
        _ if thread.merged > 1 => "[short-lived processes and threads]".to_owned(),
        Some(root) if root.pid == thread.pid => format!("[thread {name}]"),
        _ => format!("[process {name}]"),
    }
}

/// The lines of one thread.
struct Line<'a> {
    label: String,
    scale: f64,
    folded: &'a mut Folded,
}

impl Line<'_> {
    fn live(mut self, thread: &Thread, stacks: &[Stack], followed: bool) {
        let of = |what| {
            let of_thread = move |stack: &&Stack| stack.tid == thread.tid && stack.what == what;
            stacks.iter().filter(of_thread)
        };
        let calls: u64 = thread.syscalls.iter().map(|call| call.cpu_ns).sum();
        let on_cpu = (thread.user_ns + calls) as f64;
        let looks: u64 = of(Counted::OnCpu).map(|stack| stack.count).sum();
        for stack in of(Counted::OnCpu) {
            let ns = on_cpu * stack.count as f64 / looks as f64;
            self.add(names(&stack.frames), ns);
        }
        if looks == 0 {
            self.add(["[on a CPU, met by no look]".to_owned()], on_cpu);
        }
        if followed {
            for stack in of(Counted::OffCpu) {
                let waiting = std::iter::once("[waiting]".to_owned());
                self.add(names(&stack.frames).chain(waiting), stack.ns as f64);
            }
            let ready = thread.runnable_own_ns + thread.runnable_others_ns + thread.wakeup_ns;
            self.add(["[ready, waiting for a CPU]".to_owned()], ready as f64);
        }
    }

    fn add(&mut self, frames: impl IntoIterator<Item = String>, ns: f64) {
        if ns > 0.0 {
            let mut line = self.label.clone();
            frames.into_iter().for_each(|frame| {
                line.push(';');
                line.push_str(&frame);
            });
            *self.folded.entry(line).or_default() += ns * self.scale;
        }
    }
}

/// From the outermost to the innermost. Below a guest lies the way in which its engine calls it: left out, so that the same
/// guest's functions lie above each other under any engine. Where a walk was led astray, one place nobody knows stands for
/// all of them.
fn names(frames: &[Frame]) -> impl Iterator<Item = String> {
    let outermost = frames.iter().rposition(|frame| frame.layer == Layer::Guest);
    let shown = outermost.map_or(frames, |guest| &frames[..=guest]);
    let probe = shown.iter().rposition(is_a_probes);
    let shown = probe.map_or(shown, |probe| &shown[probe + 1..]);
    let mut names: Vec<String> = shown.iter().rev().map(frame).collect();
    names.dedup_by(|later, earlier| later == earlier && later.ends_with("[unknown]"));
    names.into_iter()
}

/// Whether it is how the kernel comes to the probe that took the stack.
fn is_a_probes(frame: &Frame) -> bool {
    frame.layer == Layer::Kernel && PROBES.iter().any(|probe| frame.function.starts_with(probe))
}

fn frame(frame: &Frame) -> String {
    let layer = match frame.layer {
        Layer::Kernel => "kernel",
        Layer::Guest => "guest",
        Layer::Engine => "engine",
        Layer::Compiler => "compiler",
        Layer::Program => "program",
        Layer::Library => "library",
        Layer::Unknown => "unknown",
    };
    format!("{} [{layer}]", clean(named(frame)))
}

/// An address in a file tells no more than the file, and differs from version to version.
fn named(frame: &Frame) -> &str {
    let offset = frame.function.strip_prefix(frame.module.as_str());
    match offset {
        Some(offset) if !frame.module.is_empty() && offset.starts_with("+0x") => &frame.module,
        _ => &frame.function,
    }
}

/// Without what would end the frame or the line.
fn clean(name: &str) -> String {
    plain(name).replace(';', ":")
}

#[cfg(test)]
pub(super) mod tests {
    use wbd_model::profile::{Syscall, Wait};

    use super::*;

    pub(in crate::render) fn of(function: &str, layer: Layer) -> Frame {
        Frame {
            function: function.to_owned(),
            module: String::new(),
            layer,
        }
    }

    pub(in crate::render) fn stack(tid: u32, what: Counted, count: u64, ns: u64, frames: &[Frame]) -> Stack {
        let frames = frames.to_vec();
        Stack {
            tid,
            what,
            count,
            ns,
            frames,
        }
    }

    fn thread(tid: u32, name: &str, waits: Vec<Wait>) -> Thread {
        Thread {
            pid: 1,
            tid,
            name: name.to_owned(),
            merged: 1,
            user_ns: 600,
            syscalls: vec![Syscall {
                cpu_ns: 300,
                ..Syscall::default()
            }],
            waits,
            wakeup_ns: 20,
            ..Thread::default()
        }
    }

    /// A main thread that awaits the end of a second one and is served by a third.
    pub(in crate::render) fn profile() -> Profile {
        let end = Wait {
            waker: Waker::End(2),
            ..Wait::default()
        };
        let guest = [
            of("write", Layer::Kernel),
            of("<Host as Write>::write", Layer::Engine),
            of("[u8; 4]", Layer::Guest),
            of("_start", Layer::Guest),
            of("call_guest", Layer::Engine),
            of("main", Layer::Engine),
        ];
        let futex = [
            of("bpf_prog_1_switch", Layer::Kernel),
            of("bpf_trace_run4", Layer::Kernel),
            of("futex_wait", Layer::Kernel),
            of("wait", Layer::Engine),
        ];
        Profile {
            threads: vec![
                thread(1, "runner", vec![end]),
                thread(2, "worker", vec![]),
                thread(3, "pool", vec![]),
            ],
            stacks: vec![
                stack(1, Counted::OnCpu, 2, 0, &guest),
                stack(1, Counted::OnCpu, 1, 0, &[of("main", Layer::Engine)]),
                stack(1, Counted::OffCpu, 9, 500, &futex),
                stack(2, Counted::OffCpu, 9, 70, &futex),
                stack(3, Counted::OnCpu, 5, 0, &[of("serve", Layer::Engine)]),
                stack(3, Counted::OffCpu, 9, 80, &futex),
                stack(1, Counted::PageFault, 7, 0, &guest),
            ],
            ..Profile::default()
        }
    }

    #[test]
    fn a_run_is_folded_into_the_time_that_was_its_own() {
        let folded = fold(&profile(), 2.0);
        let expected = [
            ("[main thread];[ready, waiting for a CPU]", 10.0),
            (
                "[main thread];_start [guest];[u8: 4] [guest];<Host as Write>::write [engine];write [kernel]",
                300.0,
            ),
            ("[main thread];main [engine]", 150.0),
            ("[main thread];wait [engine];futex_wait [kernel];[waiting]", 250.0),
            ("[thread pool];serve [engine]", 450.0),
            ("[thread worker];[on a CPU, met by no look]", 450.0),
            ("[thread worker];[ready, waiting for a CPU]", 10.0),
            (
                "[thread worker];wait [engine];futex_wait [kernel];[waiting]",
                35.0,
            ),
        ];
        assert_eq!(
            folded,
            expected.map(|(line, ns)| (line.to_owned(), ns)).into(),
            "{folded:#?}"
        );
    }

    #[test]
    fn a_place_without_a_name_is_its_file() {
        let unnamed = Frame {
            function: "libc.so.6+0x2a1".to_owned(),
            module: "libc.so.6".to_owned(),
            layer: Layer::Library,
        };
        assert_eq!(frame(&unnamed), "libc.so.6 [library]");
    }

    #[test]
    fn places_that_nobody_knows_are_one_and_recursion_is_not() {
        let lost = of("[in no file]", Layer::Unknown);
        let walk = of("walk", Layer::Program);
        let frames = [walk.clone(), walk, lost.clone(), lost.clone(), lost];
        let names: Vec<String> = names(&frames).collect();
        assert_eq!(
            names,
            ["[in no file] [unknown]", "walk [program]", "walk [program]"]
        );
    }

    #[test]
    fn threads_that_await_each_other_are_followed_once() {
        let end = |tid| Wait {
            waker: Waker::End(tid),
            ..Wait::default()
        };
        let threads = [thread(1, "a", vec![end(2)]), thread(2, "b", vec![end(1), end(9)])];
        assert_eq!(followed(&threads), [1, 2].into());
    }
}
