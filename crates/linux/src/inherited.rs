//! What a program has of whoever starts it, beside rights and descriptors: limits, nice value, CPUs and umask.
//!
//! It is read from `/proc`, where the kernel shows it of any process. Scheduling policies other than the normal one,
//! I/O priorities and cgroups are not looked at.

use std::io;
use std::path::PathBuf;

use nix::unistd::gettid;
use procfs::process::{Limit, LimitValue, Limits, Process};

use crate::gate::leave_seat;
use crate::scheduling::nice_of_children;

/// One resource limit as the kernel takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResourceLimit {
    /// Which, such as `RLIMIT_NOFILE`.
    pub(crate) resource: u32,
    /// Soft and hard, in the resource's own unit.
    pub(crate) values: [u64; 2],
}

/// What a process hands down to the programs it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    pub(crate) limits: Vec<ResourceLimit>,
    nice: i32,
    cpus: CpuMask,
    umask: u32,
}

/// CPUs as the kernel takes them: bit 0 of the first word is CPU 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuMask(pub(crate) Vec<usize>);

/// The changes that make a child of one process inherit from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    pub(crate) limits: Vec<ResourceLimit>,
    pub(crate) nice: Option<i32>,
    pub(crate) cpus: Option<CpuMask>,
    pub(crate) umask: u32,
    pub(crate) fixed_addresses: bool,
}

impl Default for Changes {
    /// None, and the umask that daemons give.
    fn default() -> Self {
        Self {
            limits: Vec::new(),
            nice: None,
            cpus: None,
            umask: 0o022,
            fixed_addresses: false,
        }
    }
}

impl Inherited {
    /// What the calling thread hands down.
    pub fn of_this_thread() -> io::Result<Self> {
        leave_seat(); // whose CPU is not what it hands down
        // By its number: a symbolic link such as `/proc/thread-self` is not followed.
        let mut this = Self::read(format!("/proc/self/task/{}", gettid()).into())?;
        this.nice = nice_of_children(this.nice);
        Ok(this)
    }

    /// What another process hands down: its main thread's nice value and CPUs.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        Self::read(format!("/proc/{pid}").into())
    }

    fn read(folder: PathBuf) -> io::Result<Self> {
        let process = Process::new_with_root(folder).map_err(io::Error::other)?;
        let status = process.status().map_err(io::Error::other)?;
        let stat = process.stat().map_err(io::Error::other)?;
        let limits = process.limits().map_err(io::Error::other)?;
        let lacking = |what| io::Error::other(format!("the kernel does not tell its {what}"));
        Ok(Self {
            limits: resource_limits(&limits),
            nice: i32::try_from(stat.nice).map_err(|_| lacking("nice value"))?,
            cpus: CpuMask::from_ranges(&status.cpus_allowed_list.ok_or_else(|| lacking("CPUs"))?),
            umask: status.umask.ok_or_else(|| lacking("umask"))?,
        })
    }

    /// The nice value.
    #[must_use]
    pub fn nice(&self) -> i32 {
        self.nice
    }

    /// The CPUs.
    #[must_use]
    pub fn cpus(&self) -> &CpuMask {
        &self.cpus
    }

    /// What has to be changed in a child of `parent` for it to inherit from here: nothing where both are alike.
    #[must_use]
    pub fn changes_from(&self, parent: &Self) -> Changes {
        let differs = |limit: &&ResourceLimit| !parent.limits.contains(limit);
        Changes {
            limits: self.limits.iter().filter(differs).copied().collect(),
            nice: (self.nice != parent.nice).then_some(self.nice),
            cpus: (self.cpus != parent.cpus).then(|| self.cpus.clone()),
            umask: self.umask,
            fixed_addresses: false,
        }
    }
}

impl Changes {
    /// Has the program run on these CPUs alone.
    pub fn pin(&mut self, cpus: CpuMask) {
        self.cpus = Some(cpus);
    }

    /// Gives the program this nice value.
    pub fn renice(&mut self, nice: i32) {
        self.nice = Some(nice);
    }

    /// Lets the program make no file larger than this, whatever it is.
    pub fn limit_files(&mut self, bytes: u64) {
        self.limits.retain(|limit| limit.resource != libc::RLIMIT_FSIZE);
        self.limits.push(ResourceLimit {
            resource: libc::RLIMIT_FSIZE,
            values: [bytes; 2],
        });
    }

    /// Has the kernel lay the program's memory out the same way in every run.
    pub fn fix_addresses(&mut self) {
        self.fixed_addresses = true;
    }
}

impl CpuMask {
    /// The CPUs of these numbers.
    #[must_use]
    pub fn of(cpus: &[u32]) -> Self {
        let ranges: Vec<_> = cpus.iter().map(|&cpu| (cpu, cpu)).collect();
        Self::from_ranges(&ranges)
    }

    /// Their numbers, ascending.
    #[must_use]
    pub fn numbers(&self) -> Vec<u32> {
        let bits = self.0.len() as u32 * usize::BITS;
        (0..bits).filter(|&cpu| self.has(cpu)).collect()
    }

    fn has(&self, cpu: u32) -> bool {
        self.0[(cpu / usize::BITS) as usize] >> (cpu % usize::BITS) & 1 == 1
    }

    /// From first and last CPU of each range.
    fn from_ranges(ranges: &[(u32, u32)]) -> Self {
        let mut words = Vec::new();
        for cpu in ranges.iter().flat_map(|&(first, last)| first..=last) {
            let word = (cpu / usize::BITS) as usize;
            words.resize(words.len().max(word + 1), 0);
            words[word] |= 1 << (cpu % usize::BITS);
        }
        Self(words)
    }
}

fn resource_limits(limits: &Limits) -> Vec<ResourceLimit> {
    let all = [
        (libc::RLIMIT_CPU, limits.max_cpu_time),
        (libc::RLIMIT_FSIZE, limits.max_file_size),
        (libc::RLIMIT_DATA, limits.max_data_size),
        (libc::RLIMIT_STACK, limits.max_stack_size),
        (libc::RLIMIT_CORE, limits.max_core_file_size),
        (libc::RLIMIT_RSS, limits.max_resident_set),
        (libc::RLIMIT_NPROC, limits.max_processes),
        (libc::RLIMIT_NOFILE, limits.max_open_files),
        (libc::RLIMIT_MEMLOCK, limits.max_locked_memory),
        (libc::RLIMIT_AS, limits.max_address_space),
        (libc::RLIMIT_LOCKS, limits.max_file_locks),
        (libc::RLIMIT_SIGPENDING, limits.max_pending_signals),
        (libc::RLIMIT_MSGQUEUE, limits.max_msgqueue_size),
        (libc::RLIMIT_NICE, limits.max_nice_priority),
        (libc::RLIMIT_RTPRIO, limits.max_realtime_priority),
        (libc::RLIMIT_RTTIME, limits.max_realtime_timeout),
    ];
    let limit = |(resource, limit): (u32, Limit)| ResourceLimit {
        resource,
        values: [limit.soft_limit, limit.hard_limit].map(number),
    };
    all.map(limit).to_vec()
}

fn number(value: LimitValue) -> u64 {
    match value {
        LimitValue::Unlimited => libc::RLIM64_INFINITY,
        LimitValue::Value(value) => value,
    }
}

#[cfg(test)]
mod tests {
    use nix::sched::{CpuSet, sched_getaffinity};
    use nix::sys::resource::{Resource, getrlimit};
    use nix::unistd::Pid;

    use super::*;

    #[test]
    fn a_thread_is_read_as_the_kernel_tells_it() {
        let read = Inherited::of_this_thread().unwrap();
        let files = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let told = ResourceLimit {
            resource: libc::RLIMIT_NOFILE,
            values: [files.0, files.1],
        };
        assert!(read.limits.contains(&told), "{told:?} is not in {read:?}");
        assert_eq!(read.limits.len(), 16, "Linux has sixteen limits");
        let set = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let allowed = (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap());
        let allowed: Vec<u32> = allowed.map(|cpu| cpu as u32).collect();
        assert_eq!(read.cpus().numbers(), allowed);
    }

    #[test]
    fn only_what_differs_is_changed() {
        let own = Inherited::of_this_thread().unwrap();
        let nothing = own.changes_from(&own);
        assert!(nothing.limits.is_empty() && nothing.nice.is_none() && nothing.cpus.is_none());
        let mut other = own.clone();
        other.limits[7].values[0] = 77;
        other.nice += 1;
        let changes = other.changes_from(&own);
        assert_eq!(changes.limits, [other.limits[7]]);
        assert_eq!((changes.nice, changes.cpus), (Some(other.nice), None));
    }

    #[test]
    fn cpus_beyond_the_first_word_keep_their_places() {
        let mask = CpuMask::of(&[1, 64, 200]);
        assert_eq!(mask.0[0], 2);
        assert_eq!(mask.numbers(), [1, 64, 200]);
    }
}
