//! Offsets in the running kernel's structures, from its BTF.

use std::fs;

use btf_rs::{Backend, Btf, Type};
use wbd_abi::{ABSENT, Offsets};

/// Where the kernel keeps the description of its types.
pub const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// Why the offsets could not be had.
#[derive(Debug, thiserror::Error)]
pub enum OffsetError {
    /// The kernel tells nothing of its types.
    #[error("{VMLINUX} cannot be read: {0}; wbd needs a kernel built with CONFIG_DEBUG_INFO_BTF=y")]
    NoBtf(btf_rs::Error),
    /// A structure is not what wbd knows.
    #[error("this kernel's types have no `{0}`; please report the kernel's version")]
    Missing(String),
}

/// Reads the offsets of the running kernel.
pub fn of_running_kernel() -> Result<Offsets, OffsetError> {
    let btf = Btf::from_file_with_backend(VMLINUX, Backend::Mmap)
        .or_else(|_| Btf::from_file(VMLINUX))
        .map_err(OffsetError::NoBtf)?;
    let task = Structure::named(&btf, "task_struct")?;
    let memory = Structure::named(&btf, "mm_struct")?;
    let signal = Structure::named(&btf, "signal_struct")?;
    let sched_info = Structure::named(&btf, "sched_info")?;
    let entity = Structure::named(&btf, "sched_entity")?;
    let rss = rss_layout(&btf, &memory)?;
    let stolen = stolen_clock(&btf, &task).unwrap_or_default();
    Ok(Offsets {
        task_tgid: task.offset("tgid")?,
        task_pid: task.offset("pid")?,
        task_leader: task.offset("group_leader")?,
        task_mm: task.offset("mm")?,
        task_signal: task.offset("signal")?,
        task_exit_code: task.offset("exit_code")?,
        task_run_delay: task.offset("sched_info")? + sched_info.offset("run_delay")?,
        task_switches: task.pair("nvcsw", "nivcsw")?,
        task_faults: task.pair("min_flt", "maj_flt")?,
        task_migrations: task.offset("se")? + entity.offset("nr_migrations")?,
        task_queue: stolen.task_queue,
        queue_rq: stolen.queue_rq,
        rq_stolen: stolen.rq_stolen,
        signal_live: signal.offset("live")?,
        signal_switches: signal.pair("nvcsw", "nivcsw")?,
        signal_faults: signal.pair("min_flt", "maj_flt")?,
        mm_saved_auxv: memory.offset("saved_auxv")?,
        mm_hiwater_rss: memory.offset("hiwater_rss")?,
        mm_rss_stat: memory.offset("rss_stat")?,
        array_pptrs: Structure::named(&btf, "bpf_array")?.offset("pptrs")?,
        ..rss
    })
}

/// How resident-set counters lie: an array of `percpu_counter` from Linux 6.2, of plain words before.
fn rss_layout(btf: &Btf, memory: &Structure<'_>) -> Result<Offsets, OffsetError> {
    let words = Offsets {
        rss_stat_stride: 8,
        rss_count: 0,
        rss_percpu: ABSENT,
        ..Offsets::default()
    };
    if !memory.is_array("rss_stat")? {
        return Ok(words);
    }
    let counter = Structure::named(btf, "percpu_counter")?;
    Ok(Offsets {
        rss_stat_stride: counter.bytes,
        rss_count: counter.offset("count")?,
        rss_percpu: counter.offset("counters")?,
        ..words
    })
}

/// The way from a task to its CPU's clock of stolen time.
struct StolenClock {
    task_queue: u32,
    queue_rq: u32,
    rq_stolen: u32,
}

impl Default for StolenClock {
    fn default() -> Self {
        Self {
            task_queue: ABSENT,
            queue_rq: ABSENT,
            rq_stolen: ABSENT,
        }
    }
}

/// Fails where the kernel has no such clock, or no way to it: CONFIG_PARAVIRT_TIME_ACCOUNTING or
/// CONFIG_FAIR_GROUP_SCHED is not set.
fn stolen_clock(btf: &Btf, task: &Structure<'_>) -> Result<StolenClock, OffsetError> {
    Ok(StolenClock {
        task_queue: task.offset("se")? + Structure::named(btf, "sched_entity")?.offset("cfs_rq")?,
        queue_rq: Structure::named(btf, "cfs_rq")?.offset("rq")?,
        rq_stolen: Structure::named(btf, "rq")?.offset("prev_steal_time_rq")?,
    })
}

/// A structure of the kernel, its anonymous parts seen as its own.
struct Structure<'a> {
    btf: &'a Btf,
    name: &'a str,
    bytes: u32,
    /// Name, offset in bytes and type of each member.
    members: Vec<(String, u32, Option<Type>)>,
}

impl<'a> Structure<'a> {
    fn named(btf: &'a Btf, name: &'a str) -> Result<Self, OffsetError> {
        let missing = || OffsetError::Missing(format!("struct {name}"));
        let types = btf.resolve_types_by_name(name).map_err(|_| missing())?;
        let found = types.into_iter().find_map(|of_this_name| match of_this_name {
            Type::Struct(found) => Some(found),
            _ => None,
        });
        let found = found.ok_or_else(missing)?;
        let bytes = u32::try_from(found.size()).map_err(|_| missing())?;
        let mut this = Self {
            btf,
            name,
            bytes,
            members: Vec::new(),
        };
        this.flatten(&found, 0);
        Ok(this)
    }

    fn flatten(&mut self, part: &btf_rs::Struct, base: u32) {
        for member in &part.members {
            let offset = base + member.bit_offset() / 8;
            let of_type = self.btf.resolve_chained_type(member).ok();
            let name = self.btf.resolve_name(member).unwrap_or_default();
            match (&of_type, name.is_empty()) {
                (Some(Type::Struct(inner) | Type::Union(inner)), true) => self.flatten(inner, offset),
                _ => self.members.push((name, offset, of_type)),
            }
        }
    }

    fn member(&self, name: &str) -> Result<&(String, u32, Option<Type>), OffsetError> {
        let found = self.members.iter().find(|member| member.0 == name);
        found.ok_or_else(|| OffsetError::Missing(format!("{}.{name}", self.name)))
    }

    fn offset(&self, member: &str) -> Result<u32, OffsetError> {
        Ok(self.member(member)?.1)
    }

    /// The offset of `first`, a word with `second` right behind it.
    fn pair(&self, first: &str, second: &str) -> Result<u32, OffsetError> {
        let at = self.offset(first)?;
        let adjacent = self.offset(second)? == at + 8;
        let missing = || OffsetError::Missing(format!("{}.{second} behind {first}", self.name));
        adjacent.then_some(at).ok_or_else(missing)
    }

    fn is_array(&self, member: &str) -> Result<bool, OffsetError> {
        Ok(matches!(self.member(member)?.2, Some(Type::Array(_))))
    }
}

/// CPUs the kernel may bring online.
#[must_use]
pub fn possible_cpus() -> u32 {
    let text = fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last = text
        .trim()
        .rsplit(['-', ','])
        .next()
        .and_then(|last| last.parse::<u32>().ok());
    last.map_or(1, |last| last + 1)
}
