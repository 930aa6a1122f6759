//! Which run the current task belongs to, and how its events reach the daemon.

use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::helpers::{
    bpf_get_current_comm, bpf_get_current_pid_tgid, bpf_get_smp_processor_id, bpf_ktime_get_ns,
    generated::{bpf_get_current_ancestor_cgroup_id, bpf_get_current_cgroup_id},
};
use wbd_abi::{CONTAINED, Event, EventKind, HELPER, RING_BYTES, RunState, TARGET, Usage};

use crate::atomic::add;
use crate::maps::{CONTAINERS, EVENTS, HELPERS, RUNS, run_level};
use crate::noise;
use crate::task::Task;

/// The registered run of the current task.
pub struct Run {
    state: *mut RunState,
    /// Key of the run in the map of runs.
    pub key: u64,
    /// Whose the task is, as events say it.
    whose: u32,
}

/// Process id of the current task.
#[inline(always)]
pub fn current_pid() -> u32 {
    (bpf_get_current_pid_tgid() >> 32) as u32
}

/// The CPU that this runs on.
#[inline(always)]
pub fn current_cpu() -> u64 {
    // SAFETY: the helper has no precondition.
    u64::from(unsafe { bpf_get_smp_processor_id() })
}

/// The state of the run whose root process's main thread is the current task.
#[inline(always)]
pub fn root_state() -> Option<&'static mut RunState> {
    let ids = bpf_get_current_pid_tgid();
    if ids == 0 || (ids >> 32) as u32 != ids as u32 {
        return None;
    }
    // SAFETY: the helper takes a plain number and has no precondition.
    let cgroup = unsafe { bpf_get_current_ancestor_cgroup_id(run_level() as i32) };
    // SAFETY: map values live until an RCU period after; the fields that only a root's own events change are
    // changed on its CPU alone.
    let state = unsafe { &mut *RUNS.get_ptr_mut(&cgroup)? };
    (state.root == ids >> 32).then_some(state)
}

impl Run {
    /// The run whose cgroup holds the current task, or that follows its process as a helper.
    #[inline(always)]
    pub fn of_current() -> Option<Self> {
        // SAFETY: the helper takes a plain number and has no precondition.
        let cgroup = unsafe { bpf_get_current_ancestor_cgroup_id(run_level() as i32) };
        if let Some(state) = RUNS.get_ptr_mut(&cgroup) {
            return Some(Self {
                state,
                key: cgroup,
                whose: TARGET,
            });
        }
        Self::contained().or_else(Self::helping)
    }

    /// The run of the current task, where it is the target's own and the target has been launched.
    #[inline(always)]
    pub fn of_target() -> Option<Self> {
        // SAFETY: the helper takes a plain number and has no precondition.
        let key = unsafe { bpf_get_current_ancestor_cgroup_id(run_level() as i32) };
        let run = Self::by_key(key)?;
        // SAFETY: as in `count_fork`.
        (unsafe { (*run.state).root } != 0).then_some(run)
    }

    /// The run registered under this key, for a task of the target's own.
    #[inline(always)]
    pub fn by_key(key: u64) -> Option<Self> {
        Self::of_another(key, TARGET)
    }

    /// The run whose helper made the current task's cgroup.
    #[inline(always)]
    fn contained() -> Option<Self> {
        // SAFETY: the helper has no precondition, and the value is a number that is only ever replaced as a whole.
        let key = unsafe { *CONTAINERS.get(&bpf_get_current_cgroup_id())? };
        Self::of_another(key, CONTAINED)
    }

    /// The run that follows the current task's process.
    #[inline(always)]
    fn helping() -> Option<Self> {
        // SAFETY: the value is a number that is only ever replaced as a whole.
        let key = unsafe { *HELPERS.get(&current_pid())? };
        Self::of_another(key, HELPER)
    }

    #[inline(always)]
    fn of_another(key: u64, whose: u32) -> Option<Self> {
        let state = RUNS.get_ptr_mut(&key)?;
        Some(Self { state, key, whose })
    }

    /// The number the daemon gave it.
    #[inline(always)]
    pub fn number(&self) -> u64 {
        // SAFETY: as in `count_fork`.
        unsafe { (*self.state).run }
    }

    /// Whether the task is a followed helper rather than the target's own or its container's.
    #[inline(always)]
    pub fn is_helper(&self) -> bool {
        self.whose == HELPER
    }

    /// Counts a process made.
    #[inline(always)]
    pub fn count_fork(&self) {
        // SAFETY: `state` came from the map in this program run; map values live until an RCU period after.
        unsafe { add(&raw mut (*self.state).forks, 1) };
    }

    /// Counts a thread made.
    #[inline(always)]
    pub fn count_thread(&self) {
        // SAFETY: as in `count_fork`.
        unsafe { add(&raw mut (*self.state).threads, 1) };
    }

    /// Counts an event that could not be delivered.
    #[inline(always)]
    pub fn count_lost(&self) {
        // SAFETY: as in `count_fork`.
        unsafe { add(&raw mut (*self.state).lost, 1) };
    }

    /// An event of the current task, now.
    #[inline(always)]
    pub fn event(&self, kind: EventKind) -> Event {
        let ids = bpf_get_current_pid_tgid();
        let mut event = Event {
            // SAFETY: the helper has no precondition.
            ns: unsafe { bpf_ktime_get_ns() },
            // SAFETY: as in `count_fork`.
            run: unsafe { (*self.state).run },
            a: 0,
            b: 0,
            run_delay_ns: 0,
            interrupt_ns: 0,
            stolen_ns: 0,
            pid: (ids >> 32) as u32,
            tid: ids as u32,
            kind: kind as u32,
            helper: self.whose,
            comm: bpf_get_current_comm().unwrap_or_default(),
        };
        if let Some(state) = self.of_root(event.pid) {
            noise::stamp(state, &mut event);
        }
        event
    }

    /// An event of another task of the run's than the current one, now: without what disturbed it, and its name.
    #[inline(always)]
    pub fn event_of(&self, kind: EventKind, pid: u32, tid: u32, a: u64) -> Event {
        Event {
            // SAFETY: the helper has no precondition.
            ns: unsafe { bpf_ktime_get_ns() },
            // SAFETY: as in `count_fork`.
            run: unsafe { (*self.state).run },
            a,
            b: 0,
            run_delay_ns: 0,
            interrupt_ns: 0,
            stolen_ns: 0,
            pid,
            tid,
            kind: kind as u32,
            helper: self.whose,
            comm: [0; wbd_abi::COMM_LEN],
        }
    }

    /// The run's state, where the process is its root.
    #[inline(always)]
    fn of_root(&self, pid: u32) -> Option<&mut RunState> {
        // SAFETY: as in `count_fork`; see `root_state` for who changes what.
        let state = unsafe { &mut *self.state };
        (self.whose == TARGET && state.root == u64::from(pid)).then_some(state)
    }

    /// Notes the current process as the run's root, where there is none yet, and what it used until now.
    #[inline(always)]
    pub fn adopt_root(&self) {
        // SAFETY: as in `count_fork`; the first to be launched is the only process there is.
        let state = unsafe { &mut *self.state };
        if self.whose != TARGET || state.root != 0 {
            return;
        }
        state.root = u64::from(current_pid());
        let task = Task::current();
        state.at_launch = task.usage();
        state.used = Usage {
            voluntary_switches: 0_u64.wrapping_sub(state.at_launch.voluntary_switches),
            involuntary_switches: 0_u64.wrapping_sub(state.at_launch.involuntary_switches),
            minor_faults: 0_u64.wrapping_sub(state.at_launch.minor_faults),
            major_faults: 0_u64.wrapping_sub(state.at_launch.major_faults),
        };
        state.migrations = 0_u64.wrapping_sub(task.migrations());
    }

    /// Adds what a thread has used that ends.
    #[inline(always)]
    pub fn add_used(&self, task: Task) {
        if self.whose != TARGET {
            return;
        }
        let own = task.own_usage();
        // SAFETY: as in `count_fork`.
        unsafe {
            let used = &raw mut (*self.state).used;
            add(&raw mut (*used).voluntary_switches, own.voluntary_switches.cast_signed());
            add(&raw mut (*used).involuntary_switches, own.involuntary_switches.cast_signed());
            add(&raw mut (*used).minor_faults, own.minor_faults.cast_signed());
            add(&raw mut (*used).major_faults, own.major_faults.cast_signed());
            add(&raw mut (*self.state).migrations, task.migrations().cast_signed());
        }
    }

    /// Notes what the root has used, where the current process, which ends, is the root.
    #[inline(always)]
    pub fn close_root(&self) {
        if let Some(state) = self.of_root(current_pid()) {
            state.at_exit = Task::current().usage();
        }
    }

    /// Hands an event over, or counts it as lost.
    ///
    /// The daemon empties the ring when a run ends; only a ring a quarter full is worth waking it earlier,
    /// since its waking up would disturb the very run that is measured.
    #[inline(always)]
    pub fn send(&self, event: Event) {
        let Some(mut slot) = EVENTS.reserve::<Event>(0) else {
            return self.count_lost();
        };
        slot.write(event);
        let waiting = EVENTS.query(BPF_RB_AVAIL_DATA as u64);
        let wake = if waiting > u64::from(RING_BYTES / 4) {
            BPF_RB_FORCE_WAKEUP
        } else {
            BPF_RB_NO_WAKEUP
        };
        slot.submit(wake as u64);
    }
}
