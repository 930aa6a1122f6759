//! The exec gate: how a target comes to life without a trace of the daemon in its figures.
//!
//! ```text
//!   parent (one thread of the daemon)        child (shares the daemon's memory until execve)
//!   ---------------------------------        -----------------------------------------------
//!   clone3(VM, VFORK, INTO_CGROUP)   ----->  born inside the run's cgroup, which is registered
//!     |                                      opens its own counters, disabled
//!     |  (suspended by the kernel)           a descriptor table of its own: stdio and nothing else
//!     |                                      limits, nice value, CPUs, umask, where they are to differ
//!     |                                      process group, credentials, no new privileges, directory
//!     |                                      starts its counters
//!     |                              <-----  execve            or: notes stage and error, _exit
//!   reads the outcome
//! ```
//!
//! Nothing of the daemon's memory is copied, whatever its size, and there is one switch to the child and
//! one back: as many as in a bare `posix_spawn`. The child is registered before it exists, because the
//! kernel side knows it by its cgroup. It shares memory with a parent that the kernel keeps suspended, so
//! the child touches only its plan and its own stack, and calls the kernel without the C library.

mod child;
mod passage;
mod seat;
mod settings;
mod signals;

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use nix::unistd::Pid;

use crate::inherited::Changes;
use crate::perf::CounterKind;
use crate::raw::clone3;

pub use self::passage::{launch_in_the_gate, note_freed, take_freed};

use self::child::{ALONE, MAX_COUNTERS, Plan};
use self::passage::Passage;
pub use self::seat::leave as leave_seat;
use self::settings::Settings;
use self::signals::Signals;

/// Stack of the child until `execve`, in bytes.
const STACK_BYTES: usize = 64 * 1024;

/// Whose rights a target runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl Identity {
    /// The one this process has.
    ///
    /// # Errors
    ///
    /// The kernel does not tell its groups.
    pub fn of_this_process() -> io::Result<Self> {
        let groups = nix::unistd::getgroups()?;
        Ok(Self {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
            groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
        })
    }
}

/// A program ready to be executed.
#[derive(Clone, Debug)]
pub struct Program {
    path: CString,
    args: Vec<CString>,
    env: Vec<CString>,
    directory: CString,
    identity: Identity,
    changes: Changes,
}

/// A text with a zero byte inside cannot be passed to the kernel.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` has a zero byte inside, which no path, argument or variable can have")]
pub struct ZeroByte(String);

impl Program {
    /// A program by its path, with its arguments (the first is its name), environment and directory.
    pub fn new(
        path: &str,
        args: &[String],
        env: &[String],
        directory: &str,
        identity: Identity,
    ) -> Result<Self, ZeroByte> {
        let c = |text: &str| CString::new(text).map_err(|_| ZeroByte(text.replace('\0', "\\0")));
        Ok(Self {
            path: c(path)?,
            args: args.iter().map(|arg| c(arg)).collect::<Result<_, _>>()?,
            env: env.iter().map(|variable| c(variable)).collect::<Result<_, _>>()?,
            directory: c(directory)?,
            identity,
            changes: Changes::default(),
        })
    }

    /// The same, with these changes to what it would inherit from the thread that launches it.
    #[must_use]
    pub fn with(self, changes: Changes) -> Self {
        Self { changes, ..self }
    }

    /// The same, with one variable more in its environment.
    #[must_use]
    pub fn and_variable(mut self, variable: CString) -> Self {
        self.env.push(variable);
        self
    }

    /// The same, started by another program that is given these arguments (the first is its name) and then this
    /// program's path and arguments.
    #[must_use]
    pub fn started_by(self, path: CString, mut args: Vec<CString>) -> Self {
        args.push(self.path);
        args.extend(self.args.into_iter().skip(1));
        Self { path, args, ..self }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &CStr {
        &self.path
    }
}

/// What a child was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// Being made.
    Clone,
    /// Giving up the daemon's terminal.
    Terminal,
    /// Getting descriptors of its own.
    Descriptors,
    /// Taking over the caller's resource limits.
    Limits,
    /// Taking over nice value, CPUs and umask, and its memory's layout.
    Settings,
    /// Becoming the caller.
    Identity,
    /// Entering the working directory.
    Directory,
    /// Executing the program.
    Exec,
}

/// Why a target did not start.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct LaunchError {
    /// What the child was doing.
    pub stage: Stage,
    /// What the kernel said.
    pub source: io::Error,
    subject: String,
}

impl LaunchError {
    fn sentence(&self) -> String {
        let Self {
            stage,
            source,
            subject,
        } = self;
        match (stage, source.raw_os_error()) {
            (Stage::Exec, Some(libc::ENOENT)) => {
                format!("{subject}: no such file, or its interpreter is missing; check the path")
            }
            (Stage::Exec, Some(libc::EACCES)) => {
                format!(
                    "{subject}: not executable for this user; check its mode (chmod +x) and its directories"
                )
            }
            (Stage::Exec, Some(libc::ENOEXEC)) => {
                format!("{subject}: not a program this machine can execute (no ELF file, no #! line)")
            }
            (Stage::Exec, Some(libc::EAGAIN)) => {
                format!(
                    "{subject}: the calling user has more processes than the caller's limit allows; raise it (ulimit -u)"
                )
            }
            (Stage::Exec, Some(libc::E2BIG)) => {
                format!(
                    "{subject}: its arguments and environment need more than a quarter of the caller's limit of the stack; \
                     shorten them, or raise it (ulimit -s)"
                )
            }
            (Stage::Exec, _) => format!("{subject}: cannot be executed: {source}"),
            (Stage::Directory, _) => format!("{subject}: cannot enter the working directory: {source}"),
            (Stage::Identity, _) => format!("{subject}: cannot become the calling user: {source}"),
            (Stage::Terminal, _) => format!("{subject}: cannot leave the daemon's terminal: {source}"),
            (Stage::Descriptors, _) => format!("{subject}: cannot set up its descriptors: {source}"),
            (Stage::Limits, Some(libc::EPERM)) => {
                format!(
                    "{subject}: a limit of the caller's is above the daemon's own, and the daemon may not raise it; \
                     start wbd with CAP_SYS_RESOURCE or limits as high, or lower it (ulimit -H)"
                )
            }
            (Stage::Limits, _) => format!("{subject}: cannot take over the caller's limits: {source}"),
            (Stage::Settings, _) => {
                format!("{subject}: cannot take over the caller's nice value, CPUs and umask: {source}")
            }
            (Stage::Clone, _) => format!("{subject}: cannot make a process: {source}"),
        }
    }
}

/// A target that was let through the gate.
#[derive(Debug)]
pub struct Child {
    /// Its process id.
    pub pid: Pid,
    /// Its counters, as asked for; an error where one could not be opened.
    pub counters: Vec<io::Result<OwnedFd>>,
    /// CPU time it used before it executed anything, in nanoseconds.
    pub cpu_before_ns: u64,
}

/// The gate itself: the stack that children start on, what they must leave behind, and who they are already.
#[derive(Debug)]
pub struct Gate {
    stack: Vec<u128>,
    /// The daemon's controlling terminal, where it was started in one.
    terminal: Option<File>,
    /// Signals that this process ignores.
    ignored: Signals,
    /// Who this process is, where it is one and the same by every account.
    own: Option<Identity>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            stack: vec![0; STACK_BYTES / size_of::<u128>()],
            terminal: File::open("/dev/tty").ok(),
            ignored: Signals::ignored(),
            own: whole_identity(),
        }
    }
}

impl Gate {
    /// Makes a child in `cgroup`, arms `counters` on it and lets it execute `program`.
    ///
    /// Returns when the new image is in place, or with the reason why it is not.
    pub fn launch(
        &mut self,
        program: &Program,
        stdio: [BorrowedFd<'_>; 3],
        cgroup: BorrowedFd<'_>,
        counters: &[CounterKind],
    ) -> Result<Child, LaunchError> {
        let args = pointers(&program.args);
        let env = pointers(&program.env);
        let mut plan = plan(program, &args, &env, stdio, counters);
        plan.terminal = self.terminal.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        plan.ignored = self.ignored;
        plan.is_them = self.own.as_ref() == Some(&program.identity);
        let cloned = self.clone_into(cgroup, &mut plan);
        let counters = plan.counters[..plan.counter_count]
            .iter()
            .map(|&fd| owned(fd))
            .collect();
        let fail = |stage, errno| LaunchError {
            stage,
            source: io::Error::from_raw_os_error(errno),
            subject: match stage {
                Stage::Directory => program.directory.to_string_lossy().into_owned(),
                _ => program.path.to_string_lossy().into_owned(),
            },
        };
        let pid = cloned.map_err(|errno| fail(Stage::Clone, errno))?;
        if let Some((stage, errno)) = plan.failure {
            let _ = nix::sys::wait::waitpid(pid, None); // it has ended itself; only its number is left
            return Err(fail(stage, errno));
        }
        Ok(Child {
            pid,
            counters,
            cpu_before_ns: as_ns(plan.cpu_before),
        })
    }

    /// Clones, and comes back when the child has executed a program or ended.
    fn clone_into(&mut self, cgroup: BorrowedFd<'_>, plan: &mut Plan) -> Result<Pid, i32> {
        let mut args = clone_args(&mut self.stack);
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
        let home = seat::take();
        if let Some(home) = &home {
            plan.settings
                .or_cpus((ptr::from_ref(home).cast(), size_of_val(home)));
        }
        let mut before = SigSet::empty();
        // A handler of the daemon must not run in the child, which shares its memory. But what tells of a child's end is not
        // held up: nobody waits for it, so that the kernel forgets it at once, and would wake another thread otherwise.
        let mut held_up = SigSet::all();
        held_up.remove(Signal::SIGCHLD);
        let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&held_up), Some(&mut before));
        let passage = Passage::enter();
        // SAFETY: the stack is ours and big enough; plan and stack outlive the child's use of them, since
        // CLONE_VFORK suspends this thread until the child has executed a program or ended.
        let pid = unsafe { clone3(&args, child::start, ptr::from_mut(plan).cast()) };
        drop(passage);
        let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
        seat::launched();
        if pid < 0 {
            return Err(-pid as i32);
        }
        Ok(Pid::from_raw(pid as i32))
    }
}

/// Who this process is; none where its real, effective and saved users or groups differ.
fn whole_identity() -> Option<Identity> {
    let (users, groups) = (nix::unistd::getresuid().ok()?, nix::unistd::getresgid().ok()?);
    let is_whole = users.real == users.effective
        && users.real == users.saved
        && groups.real == groups.effective
        && groups.real == groups.saved;
    Identity::of_this_process().ok().filter(|_| is_whole)
}

fn clone_args(stack: &mut [u128]) -> libc::clone_args {
    // SAFETY: a plain structure of numbers for which zero means "not used".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES) as u64 | CLONE_CLEAR_SIGHAND;
    args.exit_signal = libc::SIGCHLD as u64;
    args.stack = stack.as_mut_ptr() as u64;
    args.stack_size = size_of_val(stack) as u64;
    args
}

/// Gives the child default handlers for all signals that had one (`linux/sched.h`, from Linux 5.5).
const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;
/// Lets the child be born in a given cgroup (`linux/sched.h`, from Linux 5.7).
const CLONE_INTO_CGROUP: u64 = 1 << 33;

fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts
        .iter()
        .map(|text| text.as_ptr())
        .chain([ptr::null()])
        .collect()
}

fn plan(
    program: &Program,
    args: &[*const libc::c_char],
    env: &[*const libc::c_char],
    stdio: [BorrowedFd<'_>; 3],
    counters: &[CounterKind],
) -> Plan {
    let mut counter_attrs = [0; MAX_COUNTERS];
    let mut counter_leaders = [ALONE; MAX_COUNTERS];
    let counter_count = counters.len().min(MAX_COUNTERS);
    for (slot, counter) in counter_attrs.iter_mut().zip(counters) {
        *slot = counter.attributes();
    }
    for (slot, counter) in counter_leaders.iter_mut().zip(counters) {
        *slot = counter.leader.unwrap_or(ALONE);
    }
    Plan {
        path: program.path.as_ptr(),
        args: args.as_ptr(),
        env: env.as_ptr(),
        directory: program.directory.as_ptr(),
        groups: program.identity.groups.as_ptr(),
        group_count: program.identity.groups.len(),
        settings: Settings::of(&program.changes),
        uid: program.identity.uid,
        gid: program.identity.gid,
        is_them: false,
        stdio: stdio.map(|fd| fd.as_raw_fd()),
        ignored: Signals::default(),
        terminal: -1,
        counter_attrs,
        counter_leaders,
        counter_count,
        counters: [-(libc::ECANCELED as isize); MAX_COUNTERS],
        cpu_before: libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        },
        failure: None,
    }
}

fn as_ns(time: libc::timespec) -> u64 {
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

fn owned(fd: isize) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd as i32));
    }
    // SAFETY: the child opened it in the table it shared with us and told nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
