//! What the diagnosis programs count, thread by thread. They are an object of their own, loaded for a diagnosis alone.
//!
//! Each record is `u64` words on the daemon's side, so that it can be read without trusting its bytes.

/// Threads of a run that are told apart. Those that begin when so many live or lived already are added up under [`REST`].
pub const MAX_LIVES: u32 = 2048;

/// Threads of a run that can live at once, those told apart included.
pub const MAX_LIVING: u32 = 16_384;

/// Pairs of a thread and a system call, reasons to wait, and places of page faults that are told apart.
pub const MAX_REASONS: u32 = 16_384;

/// Stacks that are told apart.
pub const MAX_STACKS: u32 = 16_384;

/// The group of all threads that are not told apart: no thread's number, since it is the init process's.
pub const REST: u32 = 1;

/// Powers of two, in nanoseconds, that the latency of system calls is counted by.
pub const LATENCIES: usize = 32;

/// A stack that could not be taken.
pub const NO_STACK: u32 = u32::MAX;
/// No CPU yet.
pub const NO_CPU: u32 = u32::MAX;
/// CPUs whose holders are noted; a thread that waits for another is told to have waited for nobody.
pub const MAX_CPUS: u32 = 512;

/// On a CPU.
pub const RUNNING: u32 = 0;
/// Ready to run, and waiting for a CPU.
pub const RUNNABLE: u32 = 1;
/// Waiting for something else.
pub const ASLEEP: u32 = 2;

/// Woken by an interrupt or a timer, or by nobody that is known.
pub const WOKEN_BY_KERNEL: u32 = 0;
/// Woken by a thread of the run.
pub const WOKEN_BY_THREAD: u32 = 1;
/// Woken by a thread of the run that is ending.
pub const WOKEN_BY_END: u32 = 2;
/// Woken by a process outside the run.
pub const WOKEN_BY_OTHER: u32 = 3;
/// It did not sleep, but let another thread of the run have its CPU (`sched_yield`).
pub const YIELDED: u32 = 4;

/// The system call in which a thread waited gave something else back than the following.
pub const ENDED: u32 = 0;
/// It gave back 0, which of calls that await events is that none came in time.
pub const ENDED_EMPTY: u32 = 1;
/// It gave back that the time was over (`ETIMEDOUT`, and `EAGAIN` of calls that have one).
pub const ENDED_LATE: u32 = 2;

/// One thread's life so far. Times are in nanoseconds, instants of `CLOCK_MONOTONIC`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// When it began.
    pub born_ns: u64,
    /// When it ended; 0 while it lives.
    pub died_ns: u64,
    /// When it came into its present state.
    pub since_ns: u64,
    /// When it entered the system call it is in.
    pub entered_ns: u64,
    /// On a CPU in the system call it is in.
    pub call_cpu_ns: u64,
    /// On a CPU outside system calls.
    pub user_ns: u64,
    /// Ready to run while another thread of the run was on the CPU.
    pub runnable_own_ns: u64,
    /// Ready to run while somebody else was.
    pub runnable_others_ns: u64,
    /// Ready to run while the CPU woke up.
    pub wakeup_ns: u64,
    /// Page faults of its own code.
    pub faults: u64,
    /// Switches to wait.
    pub voluntary: u64,
    /// Switches it was made to.
    pub involuntary: u64,
    /// How many threads this is the sum of.
    pub merged: u64,
    /// How long the wait was that has ended and is not yet added up: see [`Life::woken`].
    pub pending_ns: u64,
    /// Its thread id.
    pub tid: u32,
    /// Its process id.
    pub pid: u32,
    /// The thread that made it.
    pub parent: u32,
    /// What it is counted under: its thread id, or [`REST`].
    pub group: u32,
    /// [`RUNNING`], [`RUNNABLE`] or [`ASLEEP`].
    pub state: u32,
    /// The system call it is in, its number and 1; 0 outside.
    pub call: u32,
    /// Where the kernel put it to sleep.
    pub kernel_stack: u32,
    /// What it had called.
    pub user_stack: u32,
    /// 1 once it is ending.
    pub ending: u32,
    /// Of a wait that is not yet added up, 1 and who ended it: how its system call ends is part of why it waited.
    pub woken: u32,
    /// The group of the thread that ended that wait.
    pub waker: u32,
    /// The CPU it last left, or [`NO_CPU`].
    pub cpu: u32,
    /// Its name.
    pub comm: [u8; crate::COMM_LEN],
}

/// Words of a [`Life`].
pub const LIFE_WORDS: usize = 22;

/// What one thread did with one system call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// How often.
    pub calls: u64,
    /// How often it failed.
    pub failed: u64,
    /// On a CPU in it, nanoseconds.
    pub cpu_ns: u64,
    /// The sum of results above 0.
    pub bytes: u64,
    /// How many took at least 2^i ns and less than 2^(i+1).
    pub latency: [u64; LATENCIES],
}

/// Words of [`Calls`].
pub const CALLS_WORDS: usize = 4 + LATENCIES;

/// Why a thread waited.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitKey {
    /// Whose: [`Life::group`].
    pub group: u32,
    /// In which system call: [`Life::call`].
    pub call: u32,
    /// Where in the kernel.
    pub kernel_stack: u32,
    /// What it had called.
    pub user_stack: u32,
    /// Who ended it: [`WOKEN_BY_KERNEL`] and the like.
    pub woken_by: u32,
    /// The group of the thread that ended it, where one of the run did.
    pub waker: u32,
    /// How the system call ended: [`ENDED`] and the like.
    pub ended: u32,
    /// 0.
    pub padding: u32,
}

/// Words of a [`WaitKey`].
pub const WAIT_KEY_WORDS: usize = 4;

/// How often and how long a thread waited for one reason.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    /// How often.
    pub count: u64,
    /// How long, nanoseconds.
    pub ns: u64,
}

const _: () = assert!(size_of::<Life>() == 8 * LIFE_WORDS);
const _: () = assert!(size_of::<Calls>() == 8 * CALLS_WORDS);
const _: () = assert!(size_of::<WaitKey>() == 8 * WAIT_KEY_WORDS);

/// The two halves of a word, in the order in which they lie in memory.
const fn halves(word: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = word.to_ne_bytes();
    [u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])]
}

impl From<[u64; LIFE_WORDS]> for Life {
    fn from(words: [u64; LIFE_WORDS]) -> Self {
        let [tid, pid] = halves(words[14]);
        let [parent, group] = halves(words[15]);
        let [state, call] = halves(words[16]);
        let [kernel_stack, user_stack] = halves(words[17]);
        let [ending, woken] = halves(words[18]);
        let [waker, cpu] = halves(words[19]);
        let mut comm = [0; crate::COMM_LEN];
        comm[..8].copy_from_slice(&words[20].to_ne_bytes());
        comm[8..].copy_from_slice(&words[21].to_ne_bytes());
        Self {
            born_ns: words[0],
            died_ns: words[1],
            since_ns: words[2],
            entered_ns: words[3],
            call_cpu_ns: words[4],
            user_ns: words[5],
            runnable_own_ns: words[6],
            runnable_others_ns: words[7],
            wakeup_ns: words[8],
            faults: words[9],
            voluntary: words[10],
            involuntary: words[11],
            merged: words[12],
            pending_ns: words[13],
            tid,
            pid,
            parent,
            group,
            state,
            call,
            kernel_stack,
            user_stack,
            ending,
            woken,
            waker,
            cpu,
            comm,
        }
    }
}

impl From<[u64; CALLS_WORDS]> for Calls {
    fn from(words: [u64; CALLS_WORDS]) -> Self {
        let [calls, failed, cpu_ns, bytes, ..] = words;
        let mut latency = [0; LATENCIES];
        latency.copy_from_slice(&words[4..]);
        Self {
            calls,
            failed,
            cpu_ns,
            bytes,
            latency,
        }
    }
}

impl From<[u64; WAIT_KEY_WORDS]> for WaitKey {
    fn from([a, b, c, d]: [u64; WAIT_KEY_WORDS]) -> Self {
        let [group, call] = halves(a);
        let [kernel_stack, user_stack] = halves(b);
        let [woken_by, waker] = halves(c);
        let [ended, padding] = halves(d);
        Self {
            group,
            call,
            kernel_stack,
            user_stack,
            woken_by,
            waker,
            ended,
            padding,
        }
    }
}

impl From<[u64; 2]> for Waited {
    fn from([count, ns]: [u64; 2]) -> Self {
        Self { count, ns }
    }
}

/// A thread's group, and something counted for it: a system call's number, or a stack.
#[must_use]
pub const fn group_key(group: u32, what: u32) -> u64 {
    (group as u64) << 32 | what as u64
}

/// The group and what was counted, from [`group_key`].
#[must_use]
pub const fn of_group_key(key: u64) -> (u32, u32) {
    ((key >> 32) as u32, key as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_its_words_in_their_order() {
        let words: [u64; LIFE_WORDS] = core::array::from_fn(|at| at as u64 | (at as u64 + 100) << 32);
        let life = Life::from(words);
        assert_eq!(life.since_ns, 2 | 102 << 32);
        assert_eq!((life.tid, life.pid, life.parent, life.group), (14, 114, 15, 115));
        assert_eq!((life.state, life.call, life.user_stack), (16, 116, 117));
        assert_eq!(
            (life.woken, life.waker, life.pending_ns),
            (118, 19, 13 | 113 << 32)
        );
        assert_eq!(life.comm[8..12], 21_u32.to_ne_bytes());
    }

    #[test]
    fn a_key_has_its_halves() {
        assert_eq!(of_group_key(group_key(7, 9)), (7, 9));
        let key = WaitKey::from([1 | 2 << 32, 3 | 4 << 32, 5 | 6 << 32, 7]);
        assert_eq!(
            (key.group, key.call, key.woken_by, key.waker, key.ended),
            (1, 2, 5, 6, 7)
        );
    }
}
