//! One run's time in parts: the life of its root's main thread, and of those that it waited for.

use std::collections::{BTreeMap, HashMap, HashSet};

use wbd_model::explanation::CauseKind;
use wbd_model::profile::{Profile, Thread, Wait, Waker};

use super::calls::{called, is_for_a_lock_between_processes, is_read, is_write, of_call, of_wait};
use super::samples::{self, Places};

/// Threads that end one another's waits are followed so far.
const DEPTH: usize = 16;
/// A process that lives shorter is what making processes costs; a longer one does something.
const SHORT_LIFE_NS: u64 = 20_000_000;
/// From so many ended children on, each is one of many.
const MANY: u64 = 8;
/// A process's makers are looked at so far back: a shell's pipe is made by a shell that was made for it.
const GENERATIONS: usize = 4;
/// Who waits longer than this at a time, in the mean, waits for work that another does; who waits shorter, for the way
/// there and back.
const WORK_NS: u64 = 200_000;
/// Who waits for others at most so much as they wait for him, is worked for.
const ONE_SIDED: f64 = 0.25;
/// A system call's way into the kernel and out of it, which lies outside what is counted of it, at most, nanoseconds.
const WAY_NS: u64 = 1_000;
/// Looks from which on they divide a thread's time on a CPU better than the instants between which system calls lie.
const ENOUGH_LOOKS: u64 = 40;

/// A part of a run's time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// What a cause of this would be called.
    pub kind: CauseKind,
    /// More closely: a function, a system call, what was waited for.
    pub detail: String,
}

/// A run's time, part by part, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Breakdown {
    /// The parts.
    pub parts: BTreeMap<Part, f64>,
}

impl Breakdown {
    /// Takes a run apart.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let run = Run {
            threads: profile
                .threads
                .iter()
                .map(|thread| (thread.tid, thread))
                .collect(),
            engines: samples::engines(profile),
            profile,
        };
        let mut parts = Self::default();
        if let Some(root) = profile.threads.first() {
            run.live(root, 1.0, &mut HashSet::new(), &mut parts);
        }
        parts
    }

    /// With every part longer or shorter by one factor, so that they come to this together.
    #[must_use]
    pub fn scaled_to(self, ns: f64) -> Self {
        let mut scaled = Self::default();
        scaled.add_all(self, ns);
        scaled
    }

    /// All parts of a kind together.
    #[must_use]
    pub fn of_kind(&self, kind: CauseKind) -> f64 {
        self.where_kind(|of| of == kind)
    }

    /// All parts of some kinds together.
    pub(super) fn where_kind(&self, of: impl Fn(CauseKind) -> bool) -> f64 {
        let parts = self.parts.iter().filter(|(part, _)| of(part.kind));
        parts.map(|(_, ns)| ns).sum()
    }

    /// Makes what is of one kind of another.
    #[must_use]
    pub(super) fn renamed(self, from: CauseKind, to: CauseKind) -> Self {
        let mut renamed = Self::default();
        for (part, ns) in self.parts {
            let kind = if part.kind == from { to } else { part.kind };
            renamed.add(kind, part.detail, ns);
        }
        renamed
    }

    pub(super) fn add(&mut self, kind: CauseKind, detail: impl Into<String>, ns: f64) {
        if ns > 0.0 {
            let detail = detail.into();
            *self.parts.entry(Part { kind, detail }).or_default() += ns;
        }
    }

    /// Adds another's parts, in proportion, so that they come to this together.
    pub(super) fn add_all(&mut self, others: Self, ns: f64) {
        let whole: f64 = others.parts.values().sum();
        for (part, of_whole) in others.parts {
            self.add(part.kind, part.detail, ns * of_whole / whole.max(1.0));
        }
    }
}

/// A run whose threads refer to each other.
struct Run<'a> {
    profile: &'a Profile,
    threads: HashMap<u32, &'a Thread>,
    engines: HashSet<u32>,
}

impl Run<'_> {
    /// Adds a thread's life, so many times as long. `within` are the threads that wait for it.
    fn live(&self, thread: &Thread, times: f64, within: &mut HashSet<u32>, parts: &mut Breakdown) {
        within.insert(thread.tid);
        self.act(thread, times, parts);
        for wait in &thread.waits {
            self.wait(thread, wait, wait.ns as f64 * times, within, parts);
        }
        within.remove(&thread.tid);
    }

    /// What a thread does by itself: everything but waiting.
    fn act(&self, thread: &Thread, times: f64, parts: &mut Breakdown) {
        self.on_cpu(thread, times, parts);
        let (own_kind, own) = if fights(thread) {
            (
                CauseKind::LockWait,
                "threads that want the same locks had the CPU",
            )
        } else {
            (
                CauseKind::Processes,
                "threads and processes of its own had the CPU",
            )
        };
        let others = "other programs had the CPU";
        let runnable = [
            (CauseKind::Interference, others, thread.runnable_others_ns),
            (own_kind, own, thread.runnable_own_ns),
            (
                CauseKind::Processes,
                "an idle CPU woke up for it",
                thread.wakeup_ns,
            ),
        ];
        for (kind, detail, ns) in runnable {
            parts.add(kind, detail, ns as f64 * times);
        }
    }

    /// Time on a CPU, without what the probes took of it. Where system calls are so many that the way into the kernel and
    /// back weighs, the clock's looks divide it between the program and the kernel; else the instants between which the
    /// calls lay, which are exact.
    fn on_cpu(&self, thread: &Thread, times: f64, parts: &mut Breakdown) {
        let places = self.places(thread);
        let in_calls: u64 = thread.syscalls.iter().map(|call| call.cpu_ns).sum();
        let calls: u64 = thread.syscalls.iter().map(|call| call.calls).sum();
        let with_probes = (thread.user_ns + in_calls) as f64;
        let (own, called) = (places.own_looks(), places.call_looks());
        let way_weighs = (calls * WAY_NS) as f64 > with_probes / 20.0;
        let (user, kernel) = if way_weighs && own + called >= ENOUGH_LOOKS && in_calls > 0 {
            let one = with_probes / (own + called + places.probes) as f64;
            (one * own as f64, one * called as f64)
        } else {
            (thread.user_ns as f64, in_calls as f64)
        };
        own_code(&places, user * times, parts);
        let from_disk = self.disk_part();
        for call in &thread.syscalls {
            let ns = call.cpu_ns as f64 * kernel / in_calls.max(1) as f64 * times;
            let disk = if is_read(&call.name) { from_disk } else { 0.0 };
            let disk = disk.max(places.disk_share(&call.name));
            parts.add(CauseKind::IoWait, call.name.as_str(), ns * disk);
            parts.add(of_call(&call.name), call.name.as_str(), ns * (1.0 - disk));
        }
    }

    /// What share of all that was read came from a disk: who reads a file that is in no memory, has it brought, page by
    /// page, and put where it wants it.
    fn disk_part(&self) -> f64 {
        let calls = self.profile.threads.iter().flat_map(|thread| &thread.syscalls);
        let read: u64 = calls
            .filter(|call| is_read(&call.name))
            .map(|call| call.bytes)
            .sum();
        (self.profile.disk_read_bytes as f64 / read.max(1) as f64).min(1.0)
    }

    fn places(&self, thread: &Thread) -> Places {
        samples::places(self.profile, thread.tid, self.engines.contains(&thread.pid))
    }

    fn wait(&self, thread: &Thread, wait: &Wait, ns: f64, within: &mut HashSet<u32>, parts: &mut Breakdown) {
        let kind = of_wait(wait);
        match wait.waker {
            // Whose interrupt it was that ended it is chance.
            _ if wait.disk || wait.timed_out => parts.add(kind, called(wait), ns),
            Waker::End(tid) => self.wait_for_end(wait, tid, ns, within, parts),
            Waker::Thread(tid) => self.wait_for_thread(thread, (wait, kind), tid, ns, within, parts),
            Waker::Kernel | Waker::Other => parts.add(kind, called(wait), ns),
        }
    }

    /// Who waited for a thread's end, waited for what that thread did.
    fn wait_for_end(&self, wait: &Wait, tid: u32, ns: f64, within: &mut HashSet<u32>, parts: &mut Breakdown) {
        match self.threads.get(&tid) {
            Some(ended) if wait.count <= MANY && !self.is_one_of_many(ended) && follows(within, tid) => {
                let mut life = Breakdown::default();
                self.live(ended, 1.0, within, &mut life);
                parts.add_all(life, ns);
            }
            _ => parts.add(CauseKind::Processes, "waiting for their end", ns),
        }
    }

    /// Whether a thread or process is one of many short-lived ones, or was made by one.
    fn is_one_of_many(&self, thread: &Thread) -> bool {
        let maker = |thread: &&Thread| self.threads.get(&thread.parent).copied();
        let line = std::iter::successors(Some(thread), maker).take(GENERATIONS);
        let is_short = |thread: &&Thread| thread.died_ns.saturating_sub(thread.born_ns) < SHORT_LIFE_NS;
        thread.merged > 1
            || line
                .take_while(is_short)
                .any(|thread| self.siblings(thread) > MANY)
    }

    /// How many the maker of a thread made, it included.
    fn siblings(&self, thread: &Thread) -> u64 {
        let of_parent = |other: &&Thread| other.parent == thread.parent;
        self.profile.threads.iter().filter(of_parent).count() as u64
    }

    /// A wait that another thread ended by what it did.
    fn wait_for_thread(
        &self,
        thread: &Thread,
        (wait, kind): (&Wait, CauseKind),
        tid: u32,
        ns: f64,
        within: &mut HashSet<u32>,
        parts: &mut Breakdown,
    ) {
        let waker = self.threads.get(&tid).copied();
        let name = waker.map_or("another thread", |waker| waker.name.as_str());
        let elsewhere = waker.is_some_and(|waker| waker.pid != thread.pid);
        match waker {
            Some(waker) if self.compiles(waker) => {
                parts.add(CauseKind::Compile, format!("waiting for {name}"), ns);
            }
            _ if is_for_a_lock_between_processes(wait) => {
                parts.add(kind, format!("{} for {name}", called(wait)), ns);
            }
            _ if matches!(kind, CauseKind::Sleep | CauseKind::Processes) => parts.add(kind, called(wait), ns),
            Some(waker) if elsewhere && self.is_one_of_many(waker) => {
                parts.add(CauseKind::Processes, format!("waiting for {name}"), ns);
            }
            Some(waker)
                if !samples::waits_for_locks(self.profile, thread.tid)
                    && self.works_for(waker, thread, wait)
                    && follows(within, tid) =>
            {
                parts.add_all(self.work(waker, within), ns);
            }
            _ if elsewhere => parts.add(CauseKind::IoWait, format!("{} for {name}", called(wait)), ns),
            _ => parts.add(CauseKind::LockWait, format!("{} for {name}", called(wait)), ns),
        }
    }

    /// Whether one thread works while another waits for it, and hardly ever the other way round.
    fn works_for(&self, waker: &Thread, thread: &Thread, wait: &Wait) -> bool {
        let for_others = |thread: &Thread| -> u64 {
            let waits = thread.waits.iter();
            let for_threads = waits.filter(|wait| matches!(wait.waker, Waker::Thread(_)) && !wait.timed_out);
            for_threads.map(|wait| wait.ns).sum()
        };
        let yields = wait.syscall.as_deref() == Some("sched_yield");
        let long = wait.ns / wait.count.max(1) >= WORK_NS;
        let one_sided = for_others(waker) as f64 <= ONE_SIDED * for_others(thread) as f64;
        long && one_sided && !is_write(wait) && !yields
    }

    /// What a thread does that others wait for: all but its own waiting for others to give it work.
    fn work(&self, thread: &Thread, within: &mut HashSet<u32>) -> Breakdown {
        let mut work = Breakdown::default();
        within.insert(thread.tid);
        self.act(thread, 1.0, &mut work);
        let waits = thread.waits.iter();
        for wait in waits.filter(|wait| !matches!(wait.waker, Waker::Thread(_))) {
            self.wait(thread, wait, wait.ns as f64, within, &mut work);
        }
        within.remove(&thread.tid);
        work
    }

    /// Whether compiling is most of what a thread does, or, where it was hardly ever met, its process's threads.
    fn compiles(&self, thread: &Thread) -> bool {
        const WORK: [CauseKind; 3] = [CauseKind::EngineCpu, CauseKind::UserCpu, CauseKind::PageFaults];
        const FEW: u64 = 5;
        let met = |thread: &Thread| {
            let places = self.places(thread);
            [places.of_kinds(&[CauseKind::Compile]), places.of_kinds(&WORK)]
        };
        let [mut compile, mut other] = met(thread);
        if compile + other < FEW && thread.tid != thread.pid {
            let helpers = self.profile.threads.iter();
            let helpers = helpers.filter(|one| one.pid == thread.pid && one.tid != one.pid);
            for [compiles, does_other] in helpers.map(met) {
                compile += compiles;
                other += does_other;
            }
        }
        compile > other
    }
}

/// Whether a thread had to wait for what others held, again and again: those it then also waits for where CPUs are few.
fn fights(thread: &Thread) -> bool {
    const SOME: u64 = 2;
    let waits = thread.waits.iter();
    let for_locks = waits.filter(|wait| {
        matches!(wait.waker, Waker::Thread(_)) && !wait.timed_out && of_wait(wait) == CauseKind::LockWait
    });
    for_locks.map(|wait| wait.count).sum::<u64>() >= SOME
}

/// Whether a thread's life may be told within those that wait for it.
fn follows(within: &HashSet<u32>, tid: u32) -> bool {
    !within.contains(&tid) && within.len() < DEPTH
}

/// The time outside system calls, as the clock's looks divide it.
fn own_code(places: &Places, ns: f64, parts: &mut Breakdown) {
    let looks = places.own_looks();
    if looks == 0 {
        return parts.add(CauseKind::UserCpu, "unknown", ns);
    }
    for ((kind, function), count) in &places.own {
        parts.add(*kind, function.as_str(), ns * *count as f64 / looks as f64);
    }
}
