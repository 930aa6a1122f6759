//! Ends of processes, and what this one holds of the machine.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use nix::unistd::Pid;
use procfs::process::MMPermissions;

/// How a process ended, as `wait` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// Ends a process at once, wherever it is. One that has ended is no error.
pub fn kill(pidfd: impl AsFd) {
    // SAFETY: a descriptor that the caller holds, and no signal information to read.
    unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_fd().as_raw_fd(),
            libc::SIGKILL,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        );
    }
}

/// Lets all threads share one heap: what one experiment's thread frees, the next one's uses again.
pub fn share_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes numbers, and may be called at any time.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Lets this process have as many descriptors as it may; returns how many that is.
pub fn raise_descriptor_limit() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return 1024; // the usual limit
    };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// A descriptor of a child that was not reaped: readable when it has ended.
///
/// # Errors
/// There are too many descriptors.
pub fn descriptor(child: Pid) -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.as_raw(), 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Whether a child has ended. Its number and its account of CPU time stay in place: see [`reap`].
pub fn has_ended(pid: Pid) -> io::Result<bool> {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    match waitid(Id::Pid(pid), flags) {
        Ok(status) => Ok(status != WaitStatus::StillAlive),
        Err(nix::Error::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Waits for a child and takes its number back.
pub fn reap(pid: Pid) -> io::Result<Ended> {
    use nix::sys::wait::{WaitStatus, waitpid};
    loop {
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(Ended::Code(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(Ended::Signal(signal as i32)),
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until a child has ended, and leaves its number and its account of CPU time in place: see [`reap`].
pub fn await_end(pid: Pid) -> io::Result<()> {
    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    loop {
        match waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
            Ok(_) => return Ok(()),
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What all children of this process that were reaped so far had read from disks, in bytes, and their own children.
#[must_use]
pub fn read_by_children() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};
    /// The kernel counts in blocks of so many bytes, whatever those of the disk are.
    const BLOCK_BYTES: u64 = 512;
    let used = getrusage(UsageWho::RUSAGE_CHILDREN);
    used.map_or(0, |used| used.block_reads().unsigned_abs() * BLOCK_BYTES)
}

/// Gives the machine code of this process back to the page cache, from where the kernel maps what is executed again:
/// most of what is executed to start or to make an experiment is of no use to a process that waits.
///
/// A uprobe in it would be lost.
pub fn let_go_of_code() {
    let maps = procfs::process::Process::myself().and_then(|me| me.maps());
    let of_code = |map: &procfs::process::MemoryMap| {
        let is_file = matches!(map.pathname, procfs::process::MMapPath::Path(_));
        is_file && map.perms == (MMPermissions::READ | MMPermissions::EXECUTE | MMPermissions::PRIVATE)
    };
    for map in maps.into_iter().flatten().filter(of_code) {
        let (begin, end) = map.address;
        // SAFETY: a private mapping of a file that cannot be written through and was not: the kernel fills it from the file
        // as it was. Nothing unmaps code meanwhile: libraries alone map files so, and they are loaded at the start, for good.
        unsafe {
            libc::madvise(
                begin as *mut libc::c_void,
                (end - begin) as usize,
                libc::MADV_DONTNEED,
            );
        }
    }
}

/// Gives freed memory back to the kernel, after work that needed much for a moment.
pub fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes a number, and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
