//! What system calls are for.

use wbd_model::explanation::CauseKind;
use wbd_model::profile::{Wait, Waker};

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
/// System calls that wait for a lock that another process may hold.
const LOCKS_BETWEEN_PROCESSES: [&str; 4] = ["flock", "fcntl", "semop", "semtimedop"];
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
/// System calls that have a disk write, whatever the CPU does for it.
const SYNCS: [&str; 6] = ["fsync", "fdatasync", "sync", "syncfs", "msync", "sync_file_range"];
/// System calls that give data away.
const WRITES: [&str; 8] = [
    "write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg", "sendfile", "splice",
];
/// System calls that read files.
const READS: [&str; 5] = ["read", "readv", "pread64", "preadv", "preadv2"];
/// Functions of the kernel that wait for a clock, whatever was called.
const CLOCKS: [&str; 4] = [
    "timerfd_read",
    "timerfd_read_iter",
    "do_nanosleep",
    "hrtimer_nanosleep",
];

/// Beginnings of the names of system calls whose result is a number of bytes.
const MOVES: [&str; 8] = [
    "read", "write", "pread", "pwrite", "send", "recv", "splice", "getdents",
];

/// Whether a system call's result is a number of bytes.
pub(super) fn moves_bytes(name: &str) -> bool {
    MOVES.iter().any(|begin| name.starts_with(begin)) && !name.starts_with("readlink")
}

/// What time on a CPU in a system call is spent on.
pub(super) fn of_call(name: &str) -> CauseKind {
    match name {
        _ if PROCESSES.contains(&name) => CauseKind::Processes,
        _ if MEMORY.contains(&name) => CauseKind::PageFaults,
        _ if LOCKS.contains(&name) => CauseKind::LockWait,
        _ if SLEEPS.contains(&name) => CauseKind::Sleep,
        _ if SYNCS.contains(&name) => CauseKind::IoWait,
        _ => CauseKind::Syscalls,
    }
}

/// What a wait was for, by where it was waited and whether its time was over.
pub(super) fn of_wait(wait: &Wait) -> CauseKind {
    if wait.disk {
        return CauseKind::IoWait;
    }
    let Some(call) = wait.syscall.as_deref() else {
        return CauseKind::PageFaults;
    };
    let function = wait.function.as_deref().unwrap_or_default();
    if wait.timed_out || CLOCKS.contains(&function) {
        return CauseKind::Sleep;
    }
    match of_call(call) {
        _ if is_for_a_lock_between_processes(wait) => CauseKind::LockWait,
        CauseKind::Syscalls if POLLS.contains(&call) && wait.waker == Waker::Kernel => CauseKind::Sleep,
        CauseKind::Syscalls => CauseKind::IoWait,
        other => other,
    }
}

/// Whether a wait was for a lock on a file, or another that processes share.
pub(super) fn is_for_a_lock_between_processes(wait: &Wait) -> bool {
    let call = wait.syscall.as_deref();
    call.is_some_and(|call| LOCKS_BETWEEN_PROCESSES.contains(&call))
}

/// Whether a system call reads.
pub(super) fn is_read(call: &str) -> bool {
    READS.contains(&call)
}

/// Whether a wait was for room to write to.
pub(super) fn is_write(wait: &Wait) -> bool {
    wait.syscall.as_deref().is_some_and(|call| WRITES.contains(&call))
}

/// The call and the kernel's function in which somebody waited.
pub(super) fn called(wait: &Wait) -> String {
    let call = wait.syscall.as_deref().unwrap_or("page fault");
    match &wait.function {
        Some(function) => format!("{call} ({function})"),
        None => call.to_owned(),
    }
}
