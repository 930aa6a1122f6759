//! The diagnosis programs in the kernel: loaded and attached for one run, read after it.

use std::collections::HashMap as Map;

use aya::maps::stack_trace::StackTraceMap;
use aya::maps::{Array, HashMap, MapData, MapError};
use aya::programs::RawTracePoint;
use aya::programs::raw_trace_point::RawTracePointLink;
use aya::{Ebpf, EbpfLoader};
use wbd_abi::diagnosis::{
    CALLS_WORDS, Calls, LIFE_WORDS, Life, NO_STACK, WAIT_KEY_WORDS, WaitKey, Waited, of_group_key,
};
use wbd_linux::cgroup::Nest;
use wbd_linux::{offsets, system_calls};

use crate::collect::kernel::links::Links;
use crate::collect::kernel::{KernelError, typed};

/// The diagnosis programs' object, as built from `ebpf/`.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../../ebpf/diagnose.bpf.o");

/// Raw tracepoints: program and tracepoint.
const TRACEPOINTS: [(&str, &str); 8] = [
    ("call_enter", "sys_enter"),
    ("call_exit", "sys_exit"),
    ("switch", "sched_switch"),
    ("waking", "sched_waking"),
    ("process_fork", "sched_process_fork"),
    ("process_exec", "sched_process_exec"),
    ("process_exit", "sched_process_exit"),
    ("page_fault", "page_fault_user"),
];

/// Places in the map `WATCHED`.
const CGROUP: u32 = 0;
const LOST: u32 = 2;

/// The programs, attached. Dropping them detaches.
pub(crate) struct Probes {
    ebpf: Ebpf,
    watched: Array<MapData, u64>,
    _links: Links<RawTracePointLink>,
}

/// What was counted of one run.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Its threads.
    pub(crate) lives: Vec<Life>,
    /// By group and number.
    pub(crate) calls: Vec<((u32, u32), Calls)>,
    /// By their reason.
    pub(crate) waits: Vec<(WaitKey, Waited)>,
    /// By group and stack.
    pub(crate) faults: Vec<((u32, u32), u64)>,
    /// Addresses of the stacks that are named above, the innermost first.
    pub(crate) stacks: Map<u32, Vec<u64>>,
    /// What found no room.
    pub(crate) lost: u64,
}

impl Probes {
    /// Loads and attaches them.
    pub(crate) fn attach() -> Result<Self, KernelError> {
        let offsets = offsets::of_running_kernel()?;
        let mut ebpf = EbpfLoader::new()
            .btf(None)
            .override_global("TASK_PID", &offsets.task_pid, true)
            .override_global("TASK_TGID", &offsets.task_tgid, true)
            .override_global("RUN_LEVEL", &Nest::RUN_LEVEL, true)
            .override_global("EXECVE", &system_calls::EXECVE, true)
            .override_global("EXIT", &system_calls::EXIT, true)
            .override_global("SCHED_YIELD", &system_calls::SCHED_YIELD, true)
            .load(OBJECT)?;
        let mut links = Links::default();
        for (program, tracepoint) in TRACEPOINTS {
            let typed = typed::<RawTracePoint>(&mut ebpf, program)?;
            typed
                .load()
                .map_err(|source| KernelError::Program { program, source })?;
            let link = typed.attach(tracepoint).and_then(|id| typed.take_link(id));
            links.push(link.map_err(|source| KernelError::Program { program, source })?);
        }
        let watched = ebpf.take_map("WATCHED").ok_or(KernelError::Absent("WATCHED"))?;
        Ok(Self {
            ebpf,
            watched: watched.try_into()?,
            _links: links,
        })
    }

    /// Watches the run in this cgroup of the unified hierarchy, from its first `execve`.
    pub(crate) fn watch(&mut self, cgroup: u64) -> Result<(), KernelError> {
        Ok(self.watched.set(CGROUP, cgroup, 0)?)
    }

    /// Reads what was counted, and detaches.
    pub(crate) fn read(mut self) -> Result<Counts, KernelError> {
        let mut map = |name| self.ebpf.take_map(name).ok_or(KernelError::Absent(name));
        let lives: HashMap<_, u32, [u64; LIFE_WORDS]> = map("LIVES")?.try_into()?;
        let calls: HashMap<_, u64, [u64; CALLS_WORDS]> = map("CALLS")?.try_into()?;
        let waits: HashMap<_, [u64; WAIT_KEY_WORDS], [u64; 2]> = map("WAITS")?.try_into()?;
        let faults: HashMap<_, u64, u64> = map("FAULTS")?.try_into()?;
        let stacks: StackTraceMap<_> = map("STACKS")?.try_into()?;
        let mut counts = Counts {
            lives: all(&lives, |_, life| life.into())?,
            calls: all(&calls, |key, calls| (of_group_key(key), calls.into()))?,
            waits: all(&waits, |key, waited| (key.into(), waited.into()))?,
            faults: all(&faults, |key, count| (of_group_key(key), count))?,
            stacks: Map::new(),
            lost: self.watched.get(&LOST, 0)?,
        };
        for id in counts.stack_ids() {
            if let Ok(trace) = stacks.get(&id, 0) {
                let addresses = trace.frames().iter().map(|frame| frame.ip).collect();
                counts.stacks.insert(id, addresses);
            }
        }
        Ok(counts)
    }
}

impl Counts {
    fn stack_ids(&self) -> Vec<u32> {
        let of_waits = self
            .waits
            .iter()
            .flat_map(|(key, _)| [key.kernel_stack, key.user_stack]);
        let of_faults = self.faults.iter().map(|((_, stack), _)| *stack);
        let mut ids: Vec<u32> = of_waits.chain(of_faults).filter(|id| *id != NO_STACK).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

fn all<K: aya::Pod, V: aya::Pod, T>(
    map: &HashMap<MapData, K, V>,
    read: impl Fn(K, V) -> T,
) -> Result<Vec<T>, MapError> {
    map.iter()
        .map(|entry| entry.map(|(key, value)| read(key, value)))
        .collect()
}
