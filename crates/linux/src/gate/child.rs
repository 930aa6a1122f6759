//! The child's side of the gate, from `clone3` to `execve`.
//!
//! It runs in its parent's memory while the kernel keeps the parent's thread suspended: it touches its plan
//! and its own stack, allocates nothing, and calls the kernel without the C library.

use std::os::fd::RawFd;

use super::Stage;
use super::settings::Settings;
use super::signals::Signals;
use crate::raw::syscall;

/// Counters a child can open.
pub(super) const MAX_COUNTERS: usize = 24;
/// No leader: a counter by itself.
pub(super) const ALONE: usize = usize::MAX;
/// Bytes of the kernel's signal set, as its system calls want to be told.
const KERNEL_SIGSET_BYTES: usize = 8;

/// What the child needs, in a form that it can use without allocating or following Rust types.
pub(super) struct Plan {
    pub(super) path: *const libc::c_char,
    pub(super) args: *const *const libc::c_char,
    pub(super) env: *const *const libc::c_char,
    pub(super) directory: *const libc::c_char,
    pub(super) groups: *const u32,
    pub(super) group_count: usize,
    pub(super) settings: Settings,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether that is who the daemon is, so that there is nothing to become.
    pub(super) is_them: bool,
    pub(super) stdio: [RawFd; 3],
    /// Signals that the daemon ignores.
    pub(super) ignored: Signals,
    /// The daemon's terminal, or -1.
    pub(super) terminal: RawFd,
    pub(super) counter_attrs: [usize; MAX_COUNTERS],
    /// The place of each counter's group leader, before its own, or [`ALONE`].
    pub(super) counter_leaders: [usize; MAX_COUNTERS],
    pub(super) counter_count: usize,
    /// Written by the child: descriptors of its counters, or negative error numbers.
    pub(super) counters: [isize; MAX_COUNTERS],
    /// Written by the child: what it had used of a CPU before it executed anything.
    pub(super) cpu_before: libc::timespec,
    /// Written by the child where it fails.
    pub(super) failure: Option<(Stage, i32)>,
}

/// Where a child starts; see the module's picture.
pub(super) extern "C" fn start(plan: *mut libc::c_void) -> ! {
    // SAFETY: `clone_into` passes a plan that outlives the child's use of it, and its thread is suspended.
    let plan = unsafe { &mut *plan.cast::<Plan>() };
    // SAFETY: the plan's pointers are to strings and arrays of the suspended parent.
    let failure = unsafe { become_target(plan) };
    plan.failure = Some(failure);
    loop {
        // SAFETY: ends the process.
        unsafe { syscall(libc::SYS_exit_group, [127, 0, 0, 0, 0]) };
    }
}

/// A step of the child's: 0 or more where it was done, else a negative error number.
type Step = unsafe fn(&Plan) -> isize;

/// Does everything up to `execve`; comes back only with what failed.
///
/// # Safety
///
/// Only for a child of `clone_into`, with the plan it was given.
unsafe fn become_target(plan: &mut Plan) -> (Stage, i32) {
    // SAFETY: each step is only for such a child, and is given its plan.
    unsafe {
        open_counters(plan);
        let steps: [(Stage, Step); 6] = [
            (Stage::Terminal, leave_terminal),
            (Stage::Descriptors, take_descriptors),
            // While it may still raise a limit, and needs no more descriptors.
            (Stage::Limits, |plan| plan.settings.limit()),
            (Stage::Settings, |plan| plan.settings.set()),
            (Stage::Identity, take_identity),
            (Stage::Directory, enter_directory),
        ];
        for (stage, step) in steps {
            let result = step(plan);
            if result < 0 {
                return (stage, -result as i32);
            }
        }
        note_cpu_time(plan);
        (Stage::Exec, -execute(plan) as i32)
    }
}

/// Opens the counters on this process, disabled, in the table shared with the daemon.
unsafe fn open_counters(plan: &mut Plan) {
    const NO_GROUP: usize = usize::MAX;
    for index in 0..plan.counter_count.min(MAX_COUNTERS) {
        let leader = plan.counters.get(plan.counter_leaders[index]);
        let group = leader.map_or(NO_GROUP, |&fd| usize::try_from(fd).unwrap_or(NO_GROUP));
        // SAFETY: as this function.
        plan.counters[index] = unsafe { open_counter(plan.counter_attrs[index], group) };
        if plan.counters[index] < 0 && group != NO_GROUP {
            // SAFETY: as this function.
            plan.counters[index] = unsafe { open_counter(plan.counter_attrs[index], NO_GROUP) };
        }
    }
}

/// Opens one counter in a group; its descriptor or a negative error number.
unsafe fn open_counter(attributes: usize, group: usize) -> isize {
    const THIS_PROCESS: usize = 0;
    const ANY_CPU: usize = usize::MAX;
    const CLOSE_ON_EXEC: usize = 8; // PERF_FLAG_FD_CLOEXEC
    let args = [attributes, THIS_PROCESS, ANY_CPU, group, CLOSE_ON_EXEC];
    // SAFETY: the attributes live in the parent's counter kinds.
    unsafe { syscall(libc::SYS_perf_event_open, args) }
}

/// Gives up the daemon's terminal, where it has one: a target must not type into it.
unsafe fn leave_terminal(plan: &Plan) -> isize {
    if plan.terminal < 0 {
        return 0;
    }
    // SAFETY: takes plain numbers. In a process that leads no session it ends this process's tie alone.
    unsafe {
        syscall(
            libc::SYS_ioctl,
            [plan.terminal as usize, libc::TIOCNOTTY as usize, 0, 0, 0],
        )
    }
}

/// Gets a descriptor table of its own that holds the standard three and nothing else.
///
/// What lies above those that it is given is not copied into it: where these have low numbers, the daemon's others, a
/// hundred or so, cost nothing.
unsafe fn take_descriptors(plan: &Plan) -> isize {
    let [first, second, third] = plan.stdio;
    let highest = first.max(second).max(third).max(2) as usize;
    let unshare = libc::CLOSE_RANGE_UNSHARE as usize;
    // SAFETY: these calls take plain numbers and change this process's own table alone, which the first gives it.
    unsafe {
        let unshared = syscall(
            libc::SYS_close_range,
            [highest + 1, u32::MAX as usize, unshare, 0, 0],
        );
        if unshared < 0 {
            return unshared;
        }
        for (to, &from) in plan.stdio.iter().enumerate() {
            let copied = syscall(libc::SYS_dup3, [from as usize, to, 0, 0, 0]);
            if copied < 0 {
                return copied;
            }
        }
        syscall(libc::SYS_close_range, [3, highest, 0, 0, 0])
    }
}

/// Becomes the caller, for good: process group, groups, group, user, no new privileges, default signals.
///
/// It stays in the daemon's session: one of its own would make the kernel set up a scheduling group for it
/// (autogroup, 25 us), and put it beside the daemon's session instead of into it. See [`leave_terminal`].
unsafe fn take_identity(plan: &Plan) -> isize {
    let [uid, gid] = [plan.uid as usize, plan.gid as usize];
    let calls = [
        (
            libc::SYS_setgroups,
            [plan.group_count, plan.groups as usize, 0, 0, 0],
        ),
        (libc::SYS_setresgid, [gid, gid, gid, 0, 0]),
        (libc::SYS_setresuid, [uid, uid, uid, 0, 0]),
        (libc::SYS_setpgid, [0, 0, 0, 0, 0]),
        (libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as usize, 1, 0, 0, 0]),
    ];
    let of_identity = 3;
    for (number, args) in calls.into_iter().skip(if plan.is_them { of_identity } else { 0 }) {
        // SAFETY: the pointer is to the plan's groups.
        let result = unsafe { syscall(number, args) };
        if result < 0 {
            return result;
        }
    }
    // SAFETY: as this function.
    unsafe { stop_ignoring(plan.ignored) }
}

/// What is ignored stays so over execve: Rust programs ignore SIGPIPE, shells others for what they start in the
/// background.
unsafe fn stop_ignoring(ignored: Signals) -> isize {
    let default: [usize; 4] = [libc::SIG_DFL, 0, 0, 0]; // struct kernel_sigaction
    for signal in ignored.each() {
        let args = [
            signal as usize,
            default.as_ptr() as usize,
            0,
            KERNEL_SIGSET_BYTES,
            0,
        ];
        // SAFETY: the pointer is to `default`.
        let result = unsafe { syscall(libc::SYS_rt_sigaction, args) };
        if result < 0 {
            return result;
        }
    }
    0
}

unsafe fn enter_directory(plan: &Plan) -> isize {
    // SAFETY: a zero-terminated path of the parent's.
    unsafe { syscall(libc::SYS_chdir, [plan.directory as usize, 0, 0, 0, 0]) }
}

/// Notes what it has used of a CPU until now, which is not the target's. Where the kernel does not tell, it was nothing.
unsafe fn note_cpu_time(plan: &mut Plan) {
    let args = [
        libc::CLOCK_THREAD_CPUTIME_ID as usize,
        &raw mut plan.cpu_before as usize,
        0,
        0,
        0,
    ];
    // SAFETY: the pointer is to the plan's own time.
    unsafe { syscall(libc::SYS_clock_gettime, args) };
}

/// Starts the counters and executes the program.
unsafe fn execute(plan: &Plan) -> isize {
    let none: u64 = 0;
    let set = [
        libc::SIG_SETMASK as usize,
        &raw const none as usize,
        0,
        KERNEL_SIGSET_BYTES,
        0,
    ];
    let exec = [plan.path as usize, plan.args as usize, plan.env as usize, 0, 0];
    // SAFETY: zero-terminated strings and lists of the parent's; `none` is a whole signal set.
    unsafe {
        syscall(libc::SYS_rt_sigprocmask, set);
        if plan.counter_count > 0 {
            syscall(
                libc::SYS_prctl,
                [libc::PR_TASK_PERF_EVENTS_ENABLE as usize, 0, 0, 0, 0],
            );
        }
        syscall(libc::SYS_execve, exec)
    }
}
