//! What is attached for some experiments alone, since all others would pay for it.

use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use aya::programs::raw_trace_point::RawTracePointLink;
use aya::programs::trace_point::TracePointLink;
use aya::programs::uprobe::UProbeLink;
use aya::programs::{Program, RawTracePoint};
use aya::sys::{Stats, enable_stats};
use wbd_abi::Mark;
use wbd_linux::usdt;

use super::links::Links;
use super::{Kernel, KernelError, typed};
use crate::launch::hits::ProgramTime;

/// What shows of an engine that marks nothing: program, category, tracepoint.
const ENGINES: [(&str, &str, &str); 5] = [
    ("open_enter", "syscalls", "sys_enter_openat"),
    ("protect_enter", "syscalls", "sys_enter_mprotect"),
    ("protect_enter", "syscalls", "sys_enter_mmap"),
    ("write_enter", "syscalls", "sys_enter_write"),
    ("write_enter", "syscalls", "sys_enter_writev"),
];

/// What shows of a container's namespaces: program, category, tracepoint.
const CONTAINERS: [(&str, &str, &str); 2] = [
    ("unshare_enter", "syscalls", "sys_enter_unshare"),
    ("unshare_exit", "syscalls", "sys_exit_unshare"),
];

/// What shows of context switches: program, tracepoint.
const SWITCHES: [(&str, &str); 3] = [
    ("switch", "sched_switch"),
    ("thread_made", "sched_process_fork"),
    ("waking", "sched_waking"),
];

/// Programs of tracepoints, to be loaded.
pub(super) const TRACEPOINT_PROGRAMS: [&str; 5] = [
    "open_enter",
    "protect_enter",
    "write_enter",
    "unshare_enter",
    "unshare_exit",
];

/// Programs of raw tracepoints, to be loaded.
pub(super) const RAW_PROGRAMS: [&str; 3] = ["switch", "thread_made", "waking"];

/// What is attached for the experiment under way alone.
#[derive(Default)]
pub(super) struct Optional {
    engines: Links<TracePointLink>,
    starts: Links<UProbeLink>,
    containers: Links<TracePointLink>,
    switches: Links<RawTracePointLink>,
}

impl Kernel {
    /// Attaches the programs that show what an engine does which marks nothing. They cost a little of every
    /// system call of theirs, also a target's: see [`Self::spare`].
    pub(crate) fn attach_to_engines(&mut self) -> Result<(), KernelError> {
        if self.attached.optional.engines.is_empty() {
            self.tracing.ensure()?;
            self.attached.optional.engines = self.attach_tracepoints(&ENGINES)?;
        }
        Ok(())
    }

    /// Attaches to the first instruction of a guest whose machine code lies at `offset` in `file`.
    pub(crate) fn attach_to_start(&mut self, file: &File, offset: u64) -> Result<(), KernelError> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let link = self.attach_uprobe(Path::new(&path), offset, Mark::Start)?;
        self.attached.optional.starts.push(link);
        Ok(())
    }

    /// Attaches to the making of namespaces, where that is not done.
    pub(crate) fn attach_to_containers(&mut self) -> Result<(), KernelError> {
        if self.attached.optional.containers.is_empty() {
            self.tracing.ensure()?;
            self.attached.optional.containers = self.attach_tracepoints(&CONTAINERS)?;
        }
        Ok(())
    }

    /// Attaches to every context switch of the machine.
    pub(crate) fn attach_to_switches(&mut self) -> Result<(), KernelError> {
        let mut links = Links::default();
        for (program, tracepoint) in SWITCHES {
            let typed = typed::<RawTracePoint>(&mut self.ebpf, program)?;
            let link = typed.attach(tracepoint).and_then(|id| typed.take_link(id));
            links.push(link.map_err(|source| KernelError::Program { program, source })?);
        }
        self.attached.optional.switches = links;
        Ok(())
    }

    /// Whether context switches are seen.
    pub(crate) fn sees_switches(&self) -> bool {
        !self.attached.optional.switches.is_empty()
    }

    /// Attaches to a mark of the daemon's own, which no run passes.
    pub(crate) fn attach_to_own_mark(&mut self, name: &'static str) -> Result<(), KernelError> {
        let own = Path::new("/proc/self/exe");
        let probes = usdt::probes(own)?;
        let found = probes
            .iter()
            .find(|probe| probe.provider == "wbd" && probe.name == name);
        let probe = found.ok_or_else(|| KernelError::NoMark {
            runner: "wbd".to_owned(),
            mark: name,
        })?;
        let link = self.attach_uprobe(own, probe.file_offset, Mark::Start)?;
        self.attached.optional.starts.push(link);
        Ok(())
    }

    /// Has the kernel keep statistics of BPF programs, which delays each a little, until what is returned is dropped.
    pub(crate) fn keep_statistics(&self) -> Result<OwnedFd, KernelError> {
        enable_stats(Stats::RunTime).map_err(KernelError::Statistics)
    }

    /// The kernel's statistics of the programs of this object: only what ran while they were kept.
    pub(crate) fn statistics(&self) -> Vec<ProgramTime> {
        let of = |(name, program): (&str, &Program)| {
            let info = program.info().ok()?;
            Some(ProgramTime {
                name: name.to_owned(),
                hits: info.run_count(),
                ns: u64::try_from(info.run_time().as_nanos()).unwrap_or(u64::MAX),
            })
        };
        self.ebpf.programs().filter_map(of).collect()
    }

    /// Detaches what the functions above attached.
    pub(crate) fn spare(&mut self) {
        self.attached.optional = Optional::default();
    }
}
