//! The only ground the eBPF programs and the daemon share: fixed-size records, map names and limits.
//!
//! Both sides are compiled from this crate, by different compilers for different targets, so every
//! record is `repr(C)`, made of fixed-width integers without padding, and its size is asserted below.
//! Nothing here allocates, parses or decides.
#![no_std]

pub mod diagnosis;

/// Bytes of a task's command name in the kernel (`TASK_COMM_LEN`), the closing zero included.
pub const COMM_LEN: usize = 16;

/// Runs that can be registered at once.
pub const MAX_RUNS: u32 = 1024;

/// Processes that can be followed at once, over all runs.
pub const MAX_PROCESSES: u32 = 65_536;

/// Cgroups that helpers made and that are remembered.
pub const MAX_CONTAINERS: u32 = 1024;

/// Processes that can be between the loss of their memory map and the report of their end at once.
pub const MAX_ENDING: u32 = 1024;

/// Processes of which it is remembered what was seen, for those that may be engines.
pub const MAX_ENGINES: u32 = 1024;

/// Threads whose context switches are told at once, over all runs.
pub const MAX_THREADS: u32 = 65_536;

/// Times at which one process is reported to have made memory executable: a JIT may do it without end.
pub const MAX_EXECUTABLE: u32 = 256;

/// Size of the event ring buffer in bytes: a power of two and a multiple of the page size.
pub const RING_BYTES: u32 = 512 * 1024;

/// What an [`Event`] reports. `a` and `b` are the record's two free fields.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// `execve` or `execveat` entered the kernel. `a`: on which CPU.
    Launch = 1,
    /// A new image is in place. `a`: load address of its dynamic linker, 0 where it has none;
    /// `b`: address of its ELF entry point.
    Exec = 2,
    /// The first instruction fetch of the image faulted. `a`: its address.
    FirstUser = 3,
    /// The instruction fetch at the ELF entry point faulted. `a`: its address.
    Entry = 4,
    /// A mark of an instrumented runner was passed. `a`: the [`Mark`].
    Mark = 5,
    /// A process (not a thread) was made. `a`: its parent's process id.
    Fork = 6,
    /// The last thread of a process ended. `a`: peak resident set in pages, 0 where the kernel had already
    /// dropped the memory map; `b`: the kernel's exit code (a `wait` status).
    Exit = 7,
    /// A cgroup of the unified hierarchy was made by a followed helper. `a`: its id.
    CgroupMade = 8,
    /// A file whose name ends like a Wasm module's is about to be opened.
    Opened = 9,
    /// Memory is about to be made executable. `a`: its address; `b`: its length in bytes.
    Executable = 10,
    /// The first write to standard output or error of a process begins. `a`: the descriptor.
    Output = 11,
    /// A thread got a CPU. `a`: which.
    OnCpu = 12,
    /// A thread left its CPU. `a`: which; `b`: [`LEFT_READY`], [`LEFT_SLEEPING`] or [`LEFT_ENDED`].
    OffCpu = 13,
    /// A thread may run again, or for the first time. `a`: the CPU of whoever woke or made it.
    Ready = 14,
    /// Namespaces were made, by a container engine's process. `a`: which, as `unshare` is told.
    Unshared = 15,
}

impl EventKind {
    /// The kind a raw number stands for, if any.
    #[must_use]
    pub const fn from_raw(raw: u32) -> Option<Self> {
        Some(match raw {
            1 => Self::Launch,
            2 => Self::Exec,
            3 => Self::FirstUser,
            4 => Self::Entry,
            5 => Self::Mark,
            6 => Self::Fork,
            7 => Self::Exit,
            8 => Self::CgroupMade,
            9 => Self::Opened,
            10 => Self::Executable,
            11 => Self::Output,
            12 => Self::OnCpu,
            13 => Self::OffCpu,
            14 => Self::Ready,
            15 => Self::Unshared,
            _ => return None,
        })
    }
}

/// The points on the way to a guest that uprobes show, in the order in which they are passed.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The engine is made.
    EngineReady = 1,
    /// The module is compiled, or its precompiled code loaded.
    ModuleReady = 2,
    /// The instance is made, its imports linked.
    InstanceReady = 3,
    /// The call of the guest's `_start` is next.
    Guest = 4,
    /// The guest's `_start` itself, in code compiled before.
    Start = 5,
}

/// [`EventKind::OffCpu`]: it could have gone on.
pub const LEFT_READY: u64 = 0;

/// [`EventKind::OffCpu`]: it sleeps until it is woken.
pub const LEFT_SLEEPING: u64 = 1;

/// [`EventKind::OffCpu`]: it has ended.
pub const LEFT_ENDED: u64 = 2;

/// [`Event::helper`] of a process of the target's own: in its run's cgroup.
pub const TARGET: u32 = 0;

/// [`Event::helper`] of a followed process of a container engine's.
pub const HELPER: u32 = 1;

/// [`Event::helper`] of a process in a cgroup that a helper made, beside the run's: a container's, whose client the
/// target is.
pub const CONTAINED: u32 = 2;

/// One record of the ring buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub ns: u64,
    /// The run, as registered in [`RunState::run`].
    pub run: u64,
    /// First free field; see [`EventKind`].
    pub a: u64,
    /// Second free field; see [`EventKind`].
    pub b: u64,
    /// Of the run's root process, else 0: how long its main thread has waited for a CPU so far
    /// (`sched_info.run_delay`), nanoseconds.
    pub run_delay_ns: u64,
    /// Of the run's root process, else 0: how long interrupts have kept its main thread from its work since
    /// the launch, nanoseconds.
    pub interrupt_ns: u64,
    /// Of the run's root process, else 0: how long the hypervisor has taken its main thread's CPU away since
    /// the launch, as far as the kernel has noticed, nanoseconds.
    pub stolen_ns: u64,
    /// Process id (the kernel's `tgid`).
    pub pid: u32,
    /// Thread id (the kernel's `pid`).
    pub tid: u32,
    /// [`EventKind`] as a number.
    pub kind: u32,
    /// Whose the process is: [`TARGET`], [`HELPER`] or [`CONTAINED`].
    pub helper: u32,
    /// Command name, zero-terminated.
    pub comm: [u8; COMM_LEN],
}

/// What is kept in the kernel for one registered run; the value of the maps that find a run.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunState {
    /// The number the daemon gave the run; it comes back in every [`Event`].
    pub run: u64,
    /// Events that found no room in the ring buffer.
    pub lost: u64,
    /// Processes made, the root not included.
    pub forks: u64,
    /// Threads made.
    pub threads: u64,
    /// Process id of the root, 0 until it is launched: the first in the run's own cgroup to call `execve`.
    pub root: u64,
    /// Interrupts and bouts of softirqs that hit the root's main thread.
    pub interrupts: u64,
    /// How long they took, nanoseconds.
    pub interrupt_ns: u64,
    /// Address of the run queue the root's main thread was on when last looked at.
    pub queue: u64,
    /// What that run queue's clock of stolen time read then, nanoseconds; 0 where there is no such clock.
    pub queue_stolen_ns: u64,
    /// Time stolen from the run queues while the root's main thread stayed on them, nanoseconds.
    pub stolen_ns: u64,
    /// What the root had used when it was launched.
    pub at_launch: Usage,
    /// What it had used when it ended.
    pub at_exit: Usage,
    /// What all threads of the run have used that have ended, less what the root had at its launch: before the
    /// root has ended, it may be below 0 and wrap.
    pub used: Usage,
    /// How often those threads were moved to another CPU, counted likewise.
    pub migrations: u64,
}

/// What the kernel has counted of a process, all its threads together, or of several.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Switches away because it had to wait.
    pub voluntary_switches: u64,
    /// Switches away while it could have gone on.
    pub involuntary_switches: u64,
    /// Page faults that were served from memory.
    pub minor_faults: u64,
    /// Page faults that had to read.
    pub major_faults: u64,
}

/// What of an interrupt that has begun on a CPU must be known when it ends.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interrupted {
    /// When a hardware interrupt began that hit a run's root, `CLOCK_MONOTONIC`, nanoseconds; else 0.
    pub hard_since: u64,
    /// The same of a softirq.
    pub soft_since: u64,
}

/// A process between its exec and its ELF entry point.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Address of the ELF entry point.
    pub entry: u64,
    /// 1 once the first user instruction was seen.
    pub first_user_seen: u64,
}

/// What was reported of a process that may be an engine.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Times it made memory executable.
    pub executable: u32,
    /// The same, and 1, when it was last reported to print; 0: it was not yet.
    pub output: u32,
}

/// Offsets inside the running kernel's structures, in bytes, taken from its BTF when the object is loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// `task_struct.tgid`
    pub task_tgid: u32,
    /// `task_struct.pid`
    pub task_pid: u32,
    /// `task_struct.group_leader`
    pub task_leader: u32,
    /// `task_struct.mm`
    pub task_mm: u32,
    /// `task_struct.signal`
    pub task_signal: u32,
    /// `task_struct.exit_code`
    pub task_exit_code: u32,
    /// `task_struct.sched_info.run_delay`
    pub task_run_delay: u32,
    /// `task_struct.nvcsw`, `nivcsw` behind it
    pub task_switches: u32,
    /// `task_struct.min_flt`, `maj_flt` behind it
    pub task_faults: u32,
    /// `task_struct.se.nr_migrations`
    pub task_migrations: u32,
    /// `task_struct.se.cfs_rq`, or [`ABSENT`] without CONFIG_FAIR_GROUP_SCHED.
    pub task_queue: u32,
    /// `cfs_rq.rq`
    pub queue_rq: u32,
    /// `rq.prev_steal_time_rq`, or [`ABSENT`] without CONFIG_PARAVIRT_TIME_ACCOUNTING.
    pub rq_stolen: u32,
    /// `signal_struct.live`
    pub signal_live: u32,
    /// `signal_struct.nvcsw`, `nivcsw` behind it: of threads that have ended
    pub signal_switches: u32,
    /// `signal_struct.min_flt`, `maj_flt` behind it: of threads that have ended
    pub signal_faults: u32,
    /// `mm_struct.saved_auxv`
    pub mm_saved_auxv: u32,
    /// `mm_struct.hiwater_rss`
    pub mm_hiwater_rss: u32,
    /// `mm_struct.rss_stat`
    pub mm_rss_stat: u32,
    /// Bytes from one resident-set counter to the next: a `percpu_counter` from Linux 6.2, a plain word before.
    pub rss_stat_stride: u32,
    /// Offset of the shared count inside one counter.
    pub rss_count: u32,
    /// Offset of the per-CPU pointer inside one counter, or [`ABSENT`] where counters are plain words.
    pub rss_percpu: u32,
    /// `bpf_array.pptrs`, the per-CPU pointers of an array map.
    pub array_pptrs: u32,
}

/// An offset this kernel does not have.
pub const ABSENT: u32 = u32::MAX;

/// Bytes of an [`Event`].
pub const EVENT_BYTES: usize = size_of::<Event>();

/// Words of a [`RunState`].
pub const RUN_STATE_WORDS: usize = 23;

/// Offsets in [`Offsets`].
pub const OFFSETS: usize = 23;

const _: () = assert!(EVENT_BYTES == 88);
const _: () = assert!(size_of::<RunState>() == RUN_STATE_WORDS * 8);
const _: () = assert!(size_of::<Process>() == 16);
const _: () = assert!(size_of::<Seen>() == 8);
const _: () = assert!(size_of::<Offsets>() == OFFSETS * 4);

impl Event {
    /// Reads a record as the ring buffer holds it; none where its length is another's.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; EVENT_BYTES] = bytes.try_into().ok()?;
        let word = |at: usize| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let half = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        Some(Self {
            ns: word(0)?,
            run: word(8)?,
            a: word(16)?,
            b: word(24)?,
            run_delay_ns: word(32)?,
            interrupt_ns: word(40)?,
            stolen_ns: word(48)?,
            pid: half(56)?,
            tid: half(60)?,
            kind: half(64)?,
            helper: half(68)?,
            comm: bytes.get(72..72 + COMM_LEN)?.try_into().ok()?,
        })
    }
}

impl From<RunState> for [u64; RUN_STATE_WORDS] {
    fn from(state: RunState) -> Self {
        let [a, b, c, d] = state.at_launch.into();
        let [e, f, g, h] = state.at_exit.into();
        let [i, j, k, l] = state.used.into();
        [
            state.run,
            state.lost,
            state.forks,
            state.threads,
            state.root,
            state.interrupts,
            state.interrupt_ns,
            state.queue,
            state.queue_stolen_ns,
            state.stolen_ns,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            i,
            j,
            k,
            l,
            state.migrations,
        ]
    }
}

impl From<[u64; RUN_STATE_WORDS]> for RunState {
    fn from(words: [u64; RUN_STATE_WORDS]) -> Self {
        let [run, lost, forks, threads, root, interrupts, interrupt_ns, ..] = words;
        let [_, _, _, _, _, _, _, queue, queue_stolen_ns, stolen_ns, ..] = words;
        let [.., a, b, c, d, e, f, g, h, i, j, k, l, migrations] = words;
        Self {
            run,
            lost,
            forks,
            threads,
            root,
            interrupts,
            interrupt_ns,
            queue,
            queue_stolen_ns,
            stolen_ns,
            at_launch: [a, b, c, d].into(),
            at_exit: [e, f, g, h].into(),
            used: [i, j, k, l].into(),
            migrations,
        }
    }
}

impl From<Usage> for [u64; 4] {
    fn from(usage: Usage) -> Self {
        [
            usage.voluntary_switches,
            usage.involuntary_switches,
            usage.minor_faults,
            usage.major_faults,
        ]
    }
}

impl From<[u64; 4]> for Usage {
    fn from(
        [
            voluntary_switches,
            involuntary_switches,
            minor_faults,
            major_faults,
        ]: [u64; 4],
    ) -> Self {
        Self {
            voluntary_switches,
            involuntary_switches,
            minor_faults,
            major_faults,
        }
    }
}

impl From<Offsets> for [u32; OFFSETS] {
    fn from(o: Offsets) -> Self {
        [
            o.task_tgid,
            o.task_pid,
            o.task_leader,
            o.task_mm,
            o.task_signal,
            o.task_exit_code,
            o.task_run_delay,
            o.task_switches,
            o.task_faults,
            o.task_migrations,
            o.task_queue,
            o.queue_rq,
            o.rq_stolen,
            o.signal_live,
            o.signal_switches,
            o.signal_faults,
            o.mm_saved_auxv,
            o.mm_hiwater_rss,
            o.mm_rss_stat,
            o.rss_stat_stride,
            o.rss_count,
            o.rss_percpu,
            o.array_pptrs,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_another_length_is_refused() {
        assert_eq!(Event::from_bytes(&[0; EVENT_BYTES - 1]), None);
        assert_eq!(Event::from_bytes(&[0; EVENT_BYTES + 1]), None);
    }

    #[test]
    fn every_field_is_read_from_its_own_place() {
        let bytes: [u8; EVENT_BYTES] = core::array::from_fn(|at| at as u8);
        let event = Event::from_bytes(&bytes).unwrap();
        assert_eq!(event.ns.to_ne_bytes(), bytes[0..8]);
        assert_eq!(event.b.to_ne_bytes(), bytes[24..32]);
        assert_eq!(event.run_delay_ns.to_ne_bytes(), bytes[32..40]);
        assert_eq!(event.stolen_ns.to_ne_bytes(), bytes[48..56]);
        assert_eq!(event.tid.to_ne_bytes(), bytes[60..64]);
        assert_eq!(event.helper.to_ne_bytes(), bytes[68..72]);
        assert_eq!(event.comm, bytes[72..88]);
    }

    #[test]
    fn a_runs_state_is_its_words_in_their_order() {
        let words: [u64; RUN_STATE_WORDS] = core::array::from_fn(|at| at as u64);
        let state = RunState::from(words);
        assert_eq!((state.threads, state.root, state.stolen_ns), (3, 4, 9));
        assert_eq!(
            (state.at_launch.minor_faults, state.at_exit.major_faults),
            (12, 17)
        );
        assert_eq!((state.used.voluntary_switches, state.migrations), (18, 22));
        assert_eq!(<[u64; RUN_STATE_WORDS]>::from(state), words);
    }
}
