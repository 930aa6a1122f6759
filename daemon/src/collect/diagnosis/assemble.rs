//! One run's profile, from what the kernel side counted and what the clock saw.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use wbd_abi::diagnosis::{
    Calls, ENDED_EMPTY, ENDED_LATE, Life, NO_STACK, REST, WOKEN_BY_END, WOKEN_BY_OTHER, WOKEN_BY_THREAD,
    WaitKey, Waited, YIELDED,
};
use wbd_linux::gate::Identity;
use wbd_linux::sampling::{Mapped, Sample, Seen};
use wbd_linux::symbols::Kernel;
use wbd_linux::system_calls;
use wbd_model::profile::{Counted, Profile, Syscall, Thread, Wait, Waker};

use super::looks::PERIOD_NS;
use super::probes::Counts;
use super::stacks::{FileMapping, Mapping, RawStack};
use super::symbols::{Symbolised, symbolise};

/// Functions of the kernel that only say that somebody sleeps, not what for.
const SLEEPING: [&str; 12] = [
    "do_wait_intr",
    "do_wait_intr_irq",
    "__schedule",
    "schedule",
    "schedule_timeout",
    "schedule_hrtimeout_range_clock",
    "schedule_hrtimeout_range",
    "schedule_preempt_disabled",
    "io_schedule",
    "io_schedule_timeout",
    "preempt_schedule",
    "__traceiter_sched_switch",
];
/// Functions of the kernel below which a thread waits for a disk.
const DISK: [&str; 6] = [
    "io_schedule",
    "io_schedule_timeout",
    "folio_wait_bit_common",
    "blk_io_schedule",
    "submit_bio_wait",
    "jbd2_log_wait_commit",
];

/// System calls that await events, by how their names begin: they give back 0 where none came in time.
const EVENTS: [&str; 7] = [
    "poll",
    "ppoll",
    "select",
    "pselect",
    "epoll_",
    "io_getevents",
    "io_pgetevents",
];

/// A profile, and what is to be said of it.
#[derive(Debug, Default)]
pub(crate) struct Assembled {
    /// The profile.
    pub(crate) profile: Profile,
    /// Why functions have no names.
    pub(crate) warnings: Vec<String>,
}

/// What is known of a run beside what the probes counted. Instants are of `CLOCK_MONOTONIC`.
#[derive(Clone, Debug)]
pub(crate) struct Known<'a> {
    /// Its guest's first instruction.
    pub(crate) guest_ns: Option<u64>,
    /// From when to when its engine compiled, where it did.
    pub(crate) compiling: Option<Range<u64>>,
    /// What it had read from disks.
    pub(crate) disk_read_bytes: u64,
    /// Whose files are read and whose perf maps are believed.
    pub(crate) caller: &'a Identity,
}

/// Puts a run together.
pub(crate) fn assemble(counts: &Counts, seen: &[Seen], known: &Known<'_>) -> Assembled {
    let Some(root) = counts.lives.iter().find(|life| life.parent == 0) else {
        return Assembled::default();
    };
    let launch = root.born_ns;
    let end = if root.died_ns > 0 {
        root.died_ns
    } else {
        last(&counts.lives)
    };
    let kernel = Functions::of(counts);
    let mut threads: Vec<Thread> = counts
        .lives
        .iter()
        .map(|life| thread(life, counts, &kernel, (launch, end)))
        .collect();
    threads.sort_by_key(|thread| (thread.tid != root.tid, thread.born_ns, thread.tid));
    let processes: HashMap<u32, u32> = counts.lives.iter().map(|life| (life.group, life.pid)).collect();
    let mappings = mappings(seen, &counts.lives);
    let raw = [
        on_cpu(seen, &counts.lives, known.compiling.as_ref()),
        waited(counts, &processes, end),
        faulted(counts, &processes, end),
    ]
    .concat();
    let Symbolised { stacks, warnings } = symbolise(&raw, &mappings, known.caller);
    let lost_looks: u64 = seen
        .iter()
        .map(|seen| if let Seen::Lost(lost) = seen { *lost } else { 0 })
        .sum();
    Assembled {
        profile: Profile {
            guest_ns: known.guest_ns.map(|ns| ns.saturating_sub(launch)),
            wall_ns: end.saturating_sub(launch),
            threads,
            stacks,
            sample_period_ns: PERIOD_NS,
            runs_looked_at: 1,
            disk_read_bytes: known.disk_read_bytes,
            lost: counts.lost + lost_looks,
        },
        warnings,
    }
}

fn last(lives: &[Life]) -> u64 {
    let ends = lives.iter().map(|life| life.died_ns.max(life.since_ns));
    ends.max().unwrap_or(0)
}

fn thread(life: &Life, counts: &Counts, kernel: &Functions, (launch, end): (u64, u64)) -> Thread {
    let died = if life.died_ns > 0 { life.died_ns } else { end };
    let of_group = |group: &u32| *group == life.tid;
    let calls = counts.calls.iter().filter(|((group, _), _)| of_group(group));
    let waits = counts.waits.iter().filter(|(key, _)| of_group(&key.group));
    Thread {
        pid: life.pid,
        tid: life.tid,
        parent: life.parent,
        name: name(&life.comm),
        merged: u32::try_from(life.merged).unwrap_or(u32::MAX),
        born_ns: life.born_ns.saturating_sub(launch),
        died_ns: died.saturating_sub(launch),
        entry_ns: None,
        user_ns: life.user_ns,
        syscalls: calls
            .map(|((_, number), calls)| syscall(*number, calls))
            .collect(),
        waits: merged(waits.map(|(key, waited)| wait(key, waited, counts, kernel))),
        runnable_own_ns: life.runnable_own_ns,
        runnable_others_ns: life.runnable_others_ns,
        wakeup_ns: life.wakeup_ns,
        faults: [life.faults, 0],
        switches: [life.voluntary, life.involuntary],
    }
}

fn name(comm: &[u8]) -> String {
    let text = comm.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    text.chars()
        .map(|c| if c.is_control() { '_' } else { c })
        .collect()
}

fn syscall(number: u32, calls: &Calls) -> Syscall {
    let used = calls.latency.iter().rposition(|count| *count > 0);
    Syscall {
        name: system_calls::name(number),
        calls: calls.calls,
        failed: calls.failed,
        cpu_ns: calls.cpu_ns,
        bytes: calls.bytes,
        latency: calls.latency[..used.map_or(0, |last| last + 1)].to_vec(),
    }
}

fn wait(key: &WaitKey, waited: &Waited, counts: &Counts, kernel: &Functions) -> Wait {
    let (function, disk) = kernel.of_wait(counts.stacks.get(&key.kernel_stack));
    let syscall = key.call.checked_sub(1).map(system_calls::name);
    let awaits_events = syscall
        .as_deref()
        .is_some_and(|call| EVENTS.iter().any(|begin| call.starts_with(begin)));
    Wait {
        timed_out: key.ended == ENDED_LATE || (key.ended == ENDED_EMPTY && awaits_events),
        syscall,
        function,
        disk,
        waker: match key.woken_by {
            WOKEN_BY_THREAD => Waker::Thread(key.waker),
            YIELDED if key.waker != 0 => Waker::Thread(key.waker),
            WOKEN_BY_END => Waker::End(key.waker),
            WOKEN_BY_OTHER | YIELDED => Waker::Other,
            _ => Waker::Kernel,
        },
        count: waited.count,
        ns: waited.ns,
    }
}

/// Waits that differ in their stacks alone are one.
fn merged(waits: impl Iterator<Item = Wait>) -> Vec<Wait> {
    let mut all: Vec<Wait> = Vec::new();
    for wait in waits {
        let same = all.iter_mut().find(|one| {
            (&one.syscall, &one.function, one.disk, one.waker, one.timed_out)
                == (
                    &wait.syscall,
                    &wait.function,
                    wait.disk,
                    wait.waker,
                    wait.timed_out,
                )
        });
        match same {
            Some(one) => {
                one.count += wait.count;
                one.ns += wait.ns;
            }
            None => all.push(wait),
        }
    }
    all.sort_by_key(|wait| std::cmp::Reverse(wait.ns));
    all
}

/// The kernel's functions on the stacks of waits.
struct Functions(HashMap<u64, String>);

impl Functions {
    fn of(counts: &Counts) -> Self {
        let stacks = counts
            .waits
            .iter()
            .filter_map(|(key, _)| counts.stacks.get(&key.kernel_stack));
        let addresses: HashSet<u64> = stacks.flatten().copied().collect();
        let addresses: Vec<u64> = addresses.into_iter().collect();
        if addresses.is_empty() {
            return Self(HashMap::new());
        }
        let names = Kernel::default().names(&addresses);
        let named = addresses.into_iter().zip(names);
        Self(
            named
                .filter_map(|(address, name)| Some((address, name?)))
                .collect(),
        )
    }

    /// What the innermost function is that tells what was waited for, and whether that was a disk.
    fn of_wait(&self, stack: Option<&Vec<u64>>) -> (Option<String>, bool) {
        let names: Vec<&str> = stack
            .into_iter()
            .flatten()
            .filter_map(|address| self.0.get(address).map(String::as_str))
            .collect();
        let disk = names.iter().any(|name| DISK.contains(name));
        let tells = |name: &&&str| !SLEEPING.contains(name) && !name.starts_with("bpf_");
        (names.iter().find(tells).map(|name| (*name).to_owned()), disk)
    }
}

/// The looks that met a thread of the run, those at one place added up.
fn on_cpu(seen: &[Seen], lives: &[Life], compiling: Option<&Range<u64>>) -> Vec<RawStack> {
    let known: HashSet<u32> = lives.iter().map(|life| life.tid).collect();
    let pids: HashSet<u32> = lives.iter().map(|life| life.pid).collect();
    let mut merged: BTreeMap<Place<'_>, (u64, u64)> = BTreeMap::new();
    for sample in seen.iter().filter_map(look) {
        let tid = match known.contains(&sample.tid) {
            true => sample.tid,
            false if pids.contains(&sample.pid) => REST,
            false => continue,
        };
        let place = Place {
            pid: sample.pid,
            tid,
            compiling: compiling.is_some_and(|when| when.contains(&sample.at_ns)),
            kernel: &sample.kernel,
            user: &sample.user,
        };
        let (count, at_ns) = merged.entry(place).or_default();
        *count += 1;
        *at_ns = sample.at_ns;
    }
    let stack = |(place, (count, at_ns)): (Place<'_>, (u64, u64))| RawStack {
        pid: place.pid,
        tid: place.tid,
        at_ns,
        what: Counted::OnCpu,
        compiling: place.compiling,
        count,
        ns: count * PERIOD_NS,
        kernel: place.kernel.to_vec(),
        user: place.user.to_vec(),
    };
    merged.into_iter().map(stack).collect()
}

/// Where a thread was.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    pid: u32,
    tid: u32,
    compiling: bool,
    kernel: &'a [u64],
    user: &'a [u64],
}

fn look(seen: &Seen) -> Option<&Sample> {
    match seen {
        Seen::OnCpu(sample) => Some(sample),
        _ => None,
    }
}

fn waited(counts: &Counts, processes: &HashMap<u32, u32>, at_ns: u64) -> Vec<RawStack> {
    let stack = |(key, waited): &(WaitKey, Waited)| RawStack {
        pid: processes.get(&key.group).copied().unwrap_or(key.group),
        tid: key.group,
        at_ns,
        what: Counted::OffCpu,
        compiling: false,
        count: waited.count,
        ns: waited.ns,
        kernel: addresses(counts, key.kernel_stack),
        user: addresses(counts, key.user_stack),
    };
    counts.waits.iter().map(stack).collect()
}

fn faulted(counts: &Counts, processes: &HashMap<u32, u32>, at_ns: u64) -> Vec<RawStack> {
    let stack = |((group, stack), count): &((u32, u32), u64)| RawStack {
        pid: processes.get(group).copied().unwrap_or(*group),
        tid: *group,
        at_ns,
        what: Counted::PageFault,
        compiling: false,
        count: *count,
        ns: 0,
        kernel: Vec::new(),
        user: addresses(counts, *stack),
    };
    counts.faults.iter().map(stack).collect()
}

fn addresses(counts: &Counts, stack: u32) -> Vec<u64> {
    let known = (stack != NO_STACK).then(|| counts.stacks.get(&stack));
    known.flatten().cloned().unwrap_or_default()
}

/// What the run's processes mapped. A process that was forked has what its parent had then.
fn mappings(seen: &[Seen], lives: &[Life]) -> Vec<Mapping> {
    let pids: HashSet<u32> = lives.iter().map(|life| life.pid).collect();
    let mapped = seen.iter().filter_map(|seen| match seen {
        Seen::Mapped(mapped) if pids.contains(&mapped.pid) => Some(mapping(mapped)),
        _ => None,
    });
    let mut all: Vec<Mapping> = mapped.collect();
    let process_of: HashMap<u32, u32> = lives.iter().map(|life| (life.tid, life.pid)).collect();
    let mut born: Vec<&Life> = lives.iter().filter(|life| life.tid == life.pid).collect();
    born.sort_by_key(|life| life.born_ns);
    for life in born {
        let Some(parent) = process_of.get(&life.parent).filter(|parent| **parent != life.pid) else {
            continue;
        };
        let had = all
            .iter()
            .filter(|mapping| mapping.pid == *parent && mapping.since_ns <= life.born_ns);
        let inherited: Vec<Mapping> = had.cloned().collect();
        all.extend(inherited.into_iter().map(|mapping| Mapping {
            pid: life.pid,
            ..mapping
        }));
    }
    all
}

fn mapping(mapped: &Mapped) -> Mapping {
    Mapping {
        pid: mapped.pid,
        since_ns: mapped.at_ns,
        start: mapped.start,
        end: mapped.end,
        file: mapped
            .file
            .clone()
            .map(|(path, id, offset)| FileMapping { path, id, offset }),
    }
}
