//! The kernel side, loaded once and attached while an experiment runs.

mod endings;
mod error;
mod fetches;
mod interrupts;
pub(super) mod links;
mod optional;

use aya::maps::{HashMap, Map, MapData, RingBuf};
use aya::programs::raw_trace_point::RawTracePointLink;
use aya::programs::trace_point::TracePointLink;
use aya::programs::uprobe::{UProbeAttachLocation, UProbeAttachPoint, UProbeLink, UProbeScope};
use aya::programs::{RawTracePoint, TracePoint, UProbe};
use aya::{Ebpf, EbpfLoader};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use wbd_abi::{Event, Mark, OFFSETS, RUN_STATE_WORDS, RunState};
use wbd_linux::cgroup::Nest;
use wbd_linux::{offsets, process, usdt};

use self::endings::Endings;
pub(crate) use self::error::KernelError;
use self::fetches::Fetches;
use self::links::Links;
use self::optional::Optional;
use super::diagnosis::probes::Probes;
use super::tracing_fs::TracingFs;

/// The kernel side's object, as built from `ebpf/`.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../../ebpf/wbd.bpf.o");

/// Raw tracepoints: program and tracepoint.
const RAW_TRACEPOINTS: [(&str, &str); 3] = [
    ("process_exec", "sched_process_exec"),
    ("process_fork", "sched_process_fork"),
    ("process_exit", "sched_process_exit"),
];

/// Tracepoints: program, category, tracepoint.
const TRACEPOINTS: [(&str, &str, &str); 3] = [
    ("execve_enter", "syscalls", "sys_enter_execve"),
    ("execve_enter", "syscalls", "sys_enter_execveat"),
    ("cgroup_mkdir", "cgroup", "cgroup_mkdir"),
];

/// Marks of an instrumented runner: USDT probe and what it announces.
const MARKS: [(&str, Mark); 4] = [
    ("engine_ready", Mark::EngineReady),
    ("module_ready", Mark::ModuleReady),
    ("instance_ready", Mark::InstanceReady),
    ("guest", Mark::Guest),
];

/// The loaded kernel side.
pub(crate) struct Kernel {
    ebpf: Ebpf,
    events: MapData,
    runs: HashMap<MapData, u64, [u64; RUN_STATE_WORDS]>,
    helpers: HashMap<MapData, u32, u64>,
    containers: HashMap<MapData, u64, u64>,
    attached: Attached,
    /// Why interrupts are not seen, where they are not.
    no_interrupts: Option<String>,
    /// Why peaks of resident memory are not, where they are not.
    no_peaks: Option<String>,
    /// What the next run is diagnosed with, where it is: see [`Self::diagnose`].
    diagnosis: Option<Probes>,
    /// Unmounted last.
    tracing: TracingFs,
}

/// Attachments to the kernel and to programs; dropping them detaches.
#[derive(Default)]
struct Attached {
    /// The events, mapped: as much memory as the map has, which an idle daemon does without.
    ring: Option<RingBuf<MapData>>,
    raw: Links<RawTracePointLink>,
    fetches: Fetches,
    endings: Endings,
    interrupts: Links<RawTracePointLink>,
    tracepoints: Links<TracePointLink>,
    marks: BTreeMap<FileIdentity, Links<UProbeLink>>,
    optional: Optional,
}

/// A runner's file: its device, its number there, and when it was last written.
type FileIdentity = (u64, u64, i64, i64);

impl Kernel {
    /// Loads the object and its programs, and attaches none. `instance` is the daemon's name.
    pub(crate) fn load(instance: &str) -> Result<Self, KernelError> {
        let mut tracing = TracingFs::of(instance);
        tracing.ensure()?;
        let offsets: [u32; OFFSETS] = offsets::of_running_kernel()?.into();
        let cpus = offsets::possible_cpus();
        let mut ebpf = EbpfLoader::new()
            .btf(None)
            .override_global("OFFSETS", &offsets, true)
            .override_global("RUN_LEVEL", &Nest::RUN_LEVEL, true)
            .override_global("CPUS", &cpus, true)
            .load(OBJECT)?;
        let raw = RAW_TRACEPOINTS.map(|(program, _)| program);
        let raw = raw.into_iter().chain(interrupts::PROGRAMS);
        for program in raw.chain(optional::RAW_PROGRAMS) {
            let loaded = typed::<RawTracePoint>(&mut ebpf, program)?.load();
            loaded.map_err(|source| KernelError::Program { program, source })?;
        }
        let always = ["execve_enter", "cgroup_mkdir"];
        for program in always.into_iter().chain(optional::TRACEPOINT_PROGRAMS) {
            let loaded = typed::<TracePoint>(&mut ebpf, program)?.load();
            loaded.map_err(|source| KernelError::Program { program, source })?;
        }
        let loaded = typed::<UProbe>(&mut ebpf, "mark")?.load();
        loaded.map_err(|source| KernelError::Program {
            program: "mark",
            source,
        })?;
        fetches::load(&mut ebpf)?;
        process::trim_heap(); // reading the kernel's types took tens of megabytes for a moment
        let mut map = |name| ebpf.take_map(name).ok_or(KernelError::Absent(name));
        Ok(Self {
            events: ring_buffer(map("EVENTS")?)?,
            runs: map("RUNS")?.try_into()?,
            helpers: map("HELPERS")?.try_into()?,
            containers: map("CONTAINERS")?.try_into()?,
            ebpf,
            attached: Attached::default(),
            no_interrupts: None,
            no_peaks: None,
            diagnosis: None,
            tracing,
        })
    }

    /// Whether anything is attached.
    pub(crate) fn is_attached(&self) -> bool {
        !self.attached.raw.is_empty()
    }

    /// Detaches all that is attached.
    pub(crate) fn detach(&mut self) {
        self.attached = Attached::default();
    }

    /// Attaches the programs that every run needs, where they are not.
    pub(crate) fn attach(&mut self) -> Result<(), KernelError> {
        if self.is_attached() {
            return Ok(());
        }
        self.tracing.ensure()?;
        let events = MapData::from_fd(
            self.events
                .fd()
                .as_fd()
                .try_clone_to_owned()
                .map_err(KernelError::Again)?,
        )?;
        self.attached.ring = Some(Map::RingBuf(events).try_into()?);
        let mut raw = Links::default();
        for (program, tracepoint) in RAW_TRACEPOINTS {
            let typed = typed::<RawTracePoint>(&mut self.ebpf, program)?;
            let link = typed.attach(tracepoint).and_then(|id| typed.take_link(id));
            raw.push(link.map_err(|source| KernelError::Program { program, source })?);
        }
        self.attached.tracepoints = self.attach_tracepoints(&TRACEPOINTS)?;
        self.attached.fetches = fetches::attach(&mut self.ebpf)?;
        self.no_peaks = match endings::attach(&mut self.ebpf) {
            Ok(endings) => {
                self.attached.endings = endings;
                None
            }
            Err(why) => Some(why.to_string()),
        };
        self.no_interrupts = match interrupts::attach(&mut self.ebpf) {
            Ok(links) => {
                self.attached.interrupts = links;
                None
            }
            Err(why) => Some(why.to_string()),
        };
        self.attached.raw = raw;
        Ok(())
    }

    /// Why interrupts are not seen, where they are not.
    pub(crate) fn no_interrupts(&self) -> Option<&str> {
        self.no_interrupts.as_deref()
    }

    /// Why peaks of resident memory are not seen, where they are not.
    pub(crate) fn no_peaks(&self) -> Option<&str> {
        self.no_peaks.as_deref()
    }

    fn attach_tracepoints(
        &mut self,
        all: &[(&'static str, &str, &str)],
    ) -> Result<Links<TracePointLink>, KernelError> {
        let mut attach = |&(program, category, tracepoint): &(&'static str, &str, &str)| {
            let typed = typed::<TracePoint>(&mut self.ebpf, program)?;
            let link = typed
                .attach(category, tracepoint)
                .and_then(|id| typed.take_link(id));
            link.map_err(|source| KernelError::Program { program, source })
        };
        all.iter().map(&mut attach).collect()
    }

    fn attach_uprobe(&mut self, file: &Path, offset: u64, mark: Mark) -> Result<UProbeLink, KernelError> {
        let program = "mark";
        let point = UProbeAttachPoint {
            location: UProbeAttachLocation::AbsoluteOffset(offset),
            cookie: Some(mark as u64),
        };
        let typed = typed::<UProbe>(&mut self.ebpf, program)?;
        typed
            .attach(point, file, UProbeScope::AllProcesses)
            .and_then(|id| typed.take_link(id))
            .map_err(|source| KernelError::Program { program, source })
    }

    /// Attaches to the marks of a runner, where that is not done.
    pub(crate) fn attach_marks(&mut self, runner: &Path) -> Result<(), KernelError> {
        let file = std::fs::metadata(runner).map_err(|source| KernelError::Runner {
            runner: runner.to_owned(),
            source,
        })?;
        let file = (file.dev(), file.ino(), file.mtime(), file.mtime_nsec());
        if self.attached.marks.contains_key(&file) {
            return Ok(());
        }
        let probes = usdt::probes(runner)?;
        let mut links = Links::default();
        for (name, mark) in MARKS {
            let probe = probes
                .iter()
                .find(|probe| probe.provider == "wbd" && probe.name == name);
            let probe = probe.ok_or_else(|| KernelError::NoMark {
                runner: runner.display().to_string(),
                mark: name,
            })?;
            links.push(self.attach_uprobe(runner, probe.file_offset, mark)?);
        }
        self.attached.marks.insert(file, links);
        Ok(())
    }

    /// Registers a run by the id of its cgroup: from now on its events are delivered.
    pub(crate) fn register(&mut self, cgroup: u64, run: u64) -> Result<(), KernelError> {
        let state = RunState {
            run,
            ..RunState::default()
        };
        if let Some(probes) = &mut self.diagnosis {
            probes.watch(cgroup)?;
        }
        Ok(self
            .runs
            .insert(cgroup, <[u64; RUN_STATE_WORDS]>::from(state), 0)?)
    }

    /// Diagnoses the run that is registered next, until [`Self::diagnosed`] takes the probes away.
    pub(crate) fn diagnose(&mut self) -> Result<(), KernelError> {
        self.tracing.ensure()?;
        self.diagnosis = Some(Probes::attach()?);
        Ok(())
    }

    /// The probes of the run that was diagnosed; they are no longer there for another.
    pub(crate) fn diagnosed(&mut self) -> Option<Probes> {
        self.diagnosis.take()
    }

    /// Follows a process of a container engine, and those it makes, for a registered run.
    pub(crate) fn follow(&mut self, pid: u32, cgroup: u64) -> Result<(), KernelError> {
        Ok(self.helpers.insert(pid, cgroup, 0)?)
    }

    /// Follows no helper any more, nor the containers they made.
    pub(crate) fn follow_none(&mut self) -> Result<(), KernelError> {
        let pids: Vec<u32> = self.helpers.keys().collect::<Result<_, _>>()?;
        for pid in pids {
            let _ = self.helpers.remove(&pid); // it may have ended meanwhile
        }
        let cgroups: Vec<u64> = self.containers.keys().collect::<Result<_, _>>()?;
        for cgroup in cgroups {
            let _ = self.containers.remove(&cgroup); // the map drops the oldest by itself
        }
        Ok(())
    }

    /// What was counted so far.
    pub(crate) fn state(&self, cgroup: u64) -> Result<RunState, KernelError> {
        Ok(self.runs.get(&cgroup, 0)?.into())
    }

    /// Ends a registration.
    pub(crate) fn unregister(&mut self, cgroup: u64) -> Result<(), KernelError> {
        Ok(self.runs.remove(&cgroup)?)
    }

    /// Takes the events that wait.
    pub(crate) fn drain(&mut self, into: &mut Vec<Event>) {
        let Some(ring) = &mut self.attached.ring else {
            return; // nothing is attached that could have told anything
        };
        while let Some(record) = ring.next() {
            into.extend(Event::from_bytes(&record));
        }
    }

    /// Readable when so many events wait that they should be taken.
    pub(crate) fn wakeup(&self) -> BorrowedFd<'_> {
        self.events.fd().as_fd()
    }
}

fn ring_buffer(map: Map) -> Result<MapData, KernelError> {
    match map {
        Map::RingBuf(data) => Ok(data),
        _ => Err(KernelError::Absent("ring buffer EVENTS")),
    }
}

pub(super) fn typed<'a, T>(ebpf: &'a mut Ebpf, program: &'static str) -> Result<&'a mut T, KernelError>
where
    &'a mut T: TryFrom<&'a mut aya::programs::Program, Error = aya::programs::ProgramError>,
{
    let found = ebpf.program_mut(program).ok_or(KernelError::Absent(program))?;
    found
        .try_into()
        .map_err(|source| KernelError::Program { program, source })
}
