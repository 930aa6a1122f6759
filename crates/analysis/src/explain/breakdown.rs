//! One run's time in parts: the life of its root's main thread, and of those that it waited for.

use std::collections::{BTreeMap, HashMap, HashSet};

use wbd_model::explanation::CauseKind;
use wbd_model::profile::{Profile, Thread, Wait, Waker};

use super::samples::{self, Places};

/// Threads that end one another's waits are followed so far.
const DEPTH: u32 = 16;
/// A process that lives shorter is what making processes costs; a longer one does something.
const SHORT_LIFE_NS: u64 = 20_000_000;
/// From so many ended children on, each is one of many.
const MANY: u64 = 8;

/// System calls that make and end processes.
const PROCESSES: [&str; 9] = [
    "clone",
    "clone3",
    "fork",
    "vfork",
    "execve",
    "execveat",
    "wait4",
    "waitid",
    "exit_group",
];
/// System calls that arrange memory.
const MEMORY: [&str; 7] = ["mmap", "munmap", "mprotect", "mremap", "brk", "madvise", "exit"];
/// System calls that wait for another thread, and wake it.
const LOCKS: [&str; 5] = ["futex", "futex_wait", "futex_waitv", "futex_wake", "sched_yield"];
/// System calls that wait until a time.
const SLEEPS: [&str; 5] = [
    "nanosleep",
    "clock_nanosleep",
    "pause",
    "rt_sigsuspend",
    "rt_sigtimedwait",
];
/// System calls that wait until something happens, or a time.
const POLLS: [&str; 8] = [
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "io_uring_enter",
];

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

    /// With every part so many times as long.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.parts.values_mut().for_each(|ns| *ns *= factor);
        self
    }

    /// Without so many nanoseconds that probes added to its system calls: half of them in the program's own time around the
    /// calls, half within them.
    #[must_use]
    pub fn without_calls(mut self, added_ns: f64) -> Self {
        for kinds in [
            [CauseKind::UserCpu, CauseKind::EngineCpu],
            [CauseKind::Syscalls, CauseKind::LockWait],
        ] {
            let parts = self
                .parts
                .iter_mut()
                .filter(|(part, _)| kinds.contains(&part.kind));
            let parts: Vec<&mut f64> = parts.map(|(_, ns)| ns).collect();
            let whole: f64 = parts.iter().map(|ns| **ns).sum();
            let left = (1.0 - added_ns / 2.0 / whole.max(1.0)).max(0.0);
            parts.into_iter().for_each(|ns| *ns *= left);
        }
        self
    }

    /// All parts of a kind together.
    #[must_use]
    pub fn of_kind(&self, kind: CauseKind) -> f64 {
        let parts = self.parts.iter().filter(|(part, _)| part.kind == kind);
        parts.map(|(_, ns)| ns).sum()
    }

    fn add(&mut self, kind: CauseKind, detail: impl Into<String>, ns: f64) {
        if ns > 0.0 {
            let detail = detail.into();
            *self.parts.entry(Part { kind, detail }).or_default() += ns;
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
    /// Adds a thread's life, so many times as long. `within` are the threads that wait for its end.
    fn live(&self, thread: &Thread, times: f64, within: &mut HashSet<u32>, parts: &mut Breakdown) {
        within.insert(thread.tid);
        self.own_code(thread, times, parts);
        for call in &thread.syscalls {
            parts.add(
                of_call(&call.name),
                call.name.as_str(),
                call.cpu_ns as f64 * times,
            );
        }
        parts.add(
            CauseKind::Interference,
            "other programs had the CPU",
            thread.runnable_others_ns as f64 * times,
        );
        parts.add(
            CauseKind::Processes,
            "threads and processes of its own had the CPU",
            thread.runnable_own_ns as f64 * times,
        );
        // Waking up is part of every wait.
        let waits: u64 = thread.waits.iter().map(|wait| wait.count).sum();
        let wakeup = thread.wakeup_ns as f64 / waits.max(1) as f64;
        for wait in &thread.waits {
            let ns = (wait.ns as f64 + wakeup * wait.count as f64) * times;
            self.wait(thread, wait, ns, within, parts);
        }
        if waits == 0 {
            parts.add(
                CauseKind::Interference,
                "an idle CPU woke up",
                thread.wakeup_ns as f64 * times,
            );
        }
        within.remove(&thread.tid);
    }

    /// The time outside system calls, as the clock's looks divide it.
    fn own_code(&self, thread: &Thread, times: f64, parts: &mut Breakdown) {
        let places = self.places(thread);
        let looks: u64 = places.values().sum();
        let user = thread.user_ns as f64 * times;
        if looks == 0 {
            return parts.add(CauseKind::UserCpu, "unknown", user);
        }
        for ((kind, function), count) in places {
            parts.add(kind, function, user * count as f64 / looks as f64);
        }
    }

    fn places(&self, thread: &Thread) -> Places {
        samples::places(self.profile, thread.tid, self.engines.contains(&thread.pid))
    }

    fn wait(&self, thread: &Thread, wait: &Wait, ns: f64, within: &mut HashSet<u32>, parts: &mut Breakdown) {
        match wait.waker {
            Waker::End(tid) => self.wait_for_end(wait, tid, ns, within, parts),
            Waker::Thread(tid) => self.wait_for_thread(thread, wait, tid, ns, parts),
            Waker::Kernel | Waker::Other => {
                let (kind, detail) = of_wait(wait);
                parts.add(kind, detail, ns);
            }
        }
    }

    /// Who waited for a thread's end, waited for what that thread did.
    fn wait_for_end(&self, wait: &Wait, tid: u32, ns: f64, within: &mut HashSet<u32>, parts: &mut Breakdown) {
        let ended = self.threads.get(&tid);
        let one_of_many = |thread: &Thread| {
            let life = thread.died_ns.saturating_sub(thread.born_ns);
            thread.merged > 1
                || wait.count > MANY
                || (life < SHORT_LIFE_NS && self.is_prolific(thread.parent))
        };
        match ended {
            Some(ended) if !one_of_many(ended) && !within.contains(&tid) && within.len() < DEPTH as usize => {
                let mut life = Breakdown::default();
                self.live(ended, 1.0, within, &mut life);
                let whole: f64 = life.parts.values().sum();
                for (part, of_life) in life.parts {
                    parts.add(part.kind, part.detail, ns * of_life / whole.max(1.0));
                }
            }
            _ => parts.add(CauseKind::Processes, "waiting for their end", ns),
        }
    }

    fn is_prolific(&self, parent: u32) -> bool {
        let children = self
            .profile
            .threads
            .iter()
            .filter(|thread| thread.parent == parent);
        children.count() as u64 > MANY
    }

    /// A wait that another thread ended by what it did: for what that thread mostly does, if it compiles.
    fn wait_for_thread(&self, thread: &Thread, wait: &Wait, tid: u32, ns: f64, parts: &mut Breakdown) {
        let waker = self.threads.get(&tid);
        let name = waker.map_or("another thread", |waker| waker.name.as_str());
        let compiling = waker.map_or(0.0, |waker| self.compiling(waker));
        parts.add(CauseKind::Compile, format!("waiting for {name}"), ns * compiling);
        let is_of_other_process = waker.is_some_and(|waker| waker.pid != thread.pid);
        let left = ns * (1.0 - compiling);
        match of_wait(wait) {
            (CauseKind::Sleep, detail) if !is_poll(wait) => parts.add(CauseKind::Sleep, detail, left),
            (CauseKind::Processes, detail) => parts.add(CauseKind::Processes, detail, left),
            (CauseKind::IoWait, detail) if wait.disk || is_of_other_process => {
                parts.add(CauseKind::IoWait, detail, left);
            }
            _ if is_of_other_process => {
                parts.add(CauseKind::IoWait, format!("{} for {name}", called(wait)), left)
            }
            _ => parts.add(CauseKind::LockWait, format!("{} for {name}", called(wait)), left),
        }
    }

    /// The share of a thread's own time in which it compiles, where that is most of it.
    fn compiling(&self, thread: &Thread) -> f64 {
        let places = self.places(thread);
        let looks: u64 = places.values().sum();
        let compile = places.iter().filter(|((kind, _), _)| *kind == CauseKind::Compile);
        let share = compile.map(|(_, count)| count).sum::<u64>() as f64 / looks.max(1) as f64;
        if share > 0.5 { share } else { 0.0 }
    }
}

/// What time on a CPU in a system call is spent on.
pub(super) fn of_call(name: &str) -> CauseKind {
    match name {
        _ if PROCESSES.contains(&name) => CauseKind::Processes,
        _ if MEMORY.contains(&name) => CauseKind::PageFaults,
        _ if LOCKS.contains(&name) => CauseKind::LockWait,
        _ if SLEEPS.contains(&name) => CauseKind::Sleep,
        _ => CauseKind::Syscalls,
    }
}

/// What a wait was for that nobody of the run ended.
fn of_wait(wait: &Wait) -> (CauseKind, String) {
    let detail = called(wait);
    let Some(call) = wait.syscall.as_deref() else {
        let kind = if wait.disk {
            CauseKind::IoWait
        } else {
            CauseKind::PageFaults
        };
        return (kind, detail);
    };
    let kind = match of_call(call) {
        _ if wait.disk => CauseKind::IoWait,
        CauseKind::Syscalls if POLLS.contains(&call) && wait.waker == Waker::Kernel => CauseKind::Sleep,
        CauseKind::Syscalls => CauseKind::IoWait,
        other => other,
    };
    (kind, detail)
}

fn is_poll(wait: &Wait) -> bool {
    wait.syscall.as_deref().is_some_and(|call| POLLS.contains(&call))
}

/// The call and the kernel's function in which somebody waited.
fn called(wait: &Wait) -> String {
    let call = wait.syscall.as_deref().unwrap_or("page fault");
    match &wait.function {
        Some(function) => format!("{call} ({function})"),
        None => call.to_owned(),
    }
}
