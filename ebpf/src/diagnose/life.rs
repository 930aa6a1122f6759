//! One thread's life: its present state, and the sums of those before.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::helpers::{bpf_get_current_comm, bpf_ktime_get_ns, bpf_probe_read_kernel};
use wbd_abi::diagnosis::{ASLEEP, Life, MAX_LIVES, NO_CPU, NO_STACK, REST, RUNNABLE, RUNNING, WaitKey, Waited};

use crate::atomic::add;
use crate::maps::{LIVES, WAITS, begin_one, count_lost, task_pid, task_tgid};

/// Now, on the clock of all instants.
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_ktime_get_ns() }
}

/// The id of a thread by its `task_struct`; 0, the idle thread's, where it cannot be read.
#[inline(always)]
pub fn thread_id(task: u64) -> u32 {
    read(task + u64::from(task_pid()))
}

/// The id of its process.
#[inline(always)]
pub fn process_id(task: u64) -> u32 {
    read(task + u64::from(task_tgid()))
}

#[inline(always)]
fn read(address: u64) -> u32 {
    // SAFETY: the helper checks the address and fails on a bad one.
    unsafe { bpf_probe_read_kernel(address as *const u32) }.unwrap_or(0)
}

/// The life of this thread, if it is of the run.
#[inline(always)]
pub fn of(tid: u32) -> Option<&'static mut Life> {
    // SAFETY: the pointer came from the map in this program run, and map values live until an RCU period after. A life
    // is changed by its own thread, and by others only while it sleeps or waits for a CPU.
    LIVES.get_ptr_mut(&tid).map(|life| unsafe { &mut *life })
}

/// The life of the current thread, if it is of the run.
#[inline(always)]
pub fn current() -> Option<&'static mut Life> {
    of(bpf_get_current_pid_tgid() as u32)
}

/// Begins a life.
#[inline(always)]
pub fn begin(tid: u32, pid: u32, parent: u32, state: u32) {
    let now = now();
    let group = if begin_one() < u64::from(MAX_LIVES) {
        tid
    } else {
        REST
    };
    let life = Life {
        born_ns: now,
        since_ns: now,
        merged: 1,
        tid,
        pid,
        parent,
        group,
        state,
        kernel_stack: NO_STACK,
        user_stack: NO_STACK,
        cpu: NO_CPU,
        comm: bpf_get_current_comm().unwrap_or_default(),
        ..Life::default()
    };
    if LIVES.insert(&tid, &life, 0).is_err() {
        count_lost();
    }
}

/// Adds the time on the CPU that ends now to where it belongs.
#[inline(always)]
pub fn settle(life: &mut Life, now: u64) {
    let stretch = now.saturating_sub(life.since_ns);
    life.since_ns = now;
    if life.state != RUNNING {
        return;
    }
    if life.call == 0 {
        life.user_ns += stretch;
    } else {
        life.call_cpu_ns += stretch;
    }
}

/// It sleeps from now on, or was made to leave the CPU.
#[inline(always)]
pub fn leave(life: &mut Life, now: u64, sleeps: bool) {
    settle(life, now);
    if sleeps {
        life.state = ASLEEP;
        life.voluntary += 1;
    } else {
        life.state = RUNNABLE;
        life.involuntary += 1;
    }
}

/// It is woken. Its wait is added up when it is known how the system call ended ([`add_wait`]).
#[inline(always)]
pub fn wake(life: &mut Life, now: u64, woken_by: u32, waker: u32) {
    life.pending_ns = now.saturating_sub(life.since_ns);
    life.woken = woken_by + 1;
    life.waker = waker;
    life.state = RUNNABLE;
    life.since_ns = now;
}

/// Adds the wait that has ended to the sums, if there is one.
#[inline(always)]
pub fn add_wait(life: &mut Life, ended: u32) {
    if life.woken == 0 {
        return;
    }
    let ns = life.pending_ns;
    let key = WaitKey {
        group: life.group,
        call: life.call,
        kernel_stack: life.kernel_stack,
        user_stack: life.user_stack,
        woken_by: life.woken - 1,
        waker: life.waker,
        ended,
        padding: 0,
    };
    life.woken = 0;
    if let Some(waited) = WAITS.get_ptr_mut(&key) {
        // SAFETY: words of the map, changed by this operation alone.
        unsafe {
            add(&raw mut (*waited).count, 1);
            add(&raw mut (*waited).ns, ns as i64);
        }
    } else if WAITS.insert(&key, &Waited { count: 1, ns }, 0).is_err() {
        count_lost();
    }
}

/// It has left its CPU for good: one that is not told apart is added to the rest.
#[inline(always)]
pub fn end(life: &Life) {
    if life.group != REST {
        return;
    }
    let tid = life.tid;
    let Some(rest) = of(REST) else {
        let first = Life {
            tid: REST,
            pid: REST,
            ..*life
        };
        if LIVES.insert(&REST, &first, 0).is_err() {
            count_lost();
        }
        let _ = LIVES.remove(&tid); // it was there a moment ago
        return;
    };
    // SAFETY: words of the map, changed by this operation alone once the record is there.
    unsafe {
        add(&raw mut rest.user_ns, life.user_ns as i64);
        add(&raw mut rest.runnable_own_ns, life.runnable_own_ns as i64);
        add(&raw mut rest.runnable_others_ns, life.runnable_others_ns as i64);
        add(&raw mut rest.wakeup_ns, life.wakeup_ns as i64);
        add(&raw mut rest.faults, life.faults as i64);
        add(&raw mut rest.voluntary, life.voluntary as i64);
        add(&raw mut rest.involuntary, life.involuntary as i64);
        add(&raw mut rest.merged, 1);
    }
    rest.died_ns = life.died_ns;
    let _ = LIVES.remove(&tid);
}
