//! What a thread's time on a CPU was spent on, by the places where the clock met it.

use std::collections::{BTreeMap, HashSet};

use wbd_model::explanation::CauseKind;
use wbd_model::profile::{Counted, Frame, Layer, Profile, Stack};

/// Functions of the kernel through which programs call it, by the beginnings of their names.
const CALLS: [&str; 5] = [
    "do_syscall_",
    "entry_SYSCALL",
    "__x64_sys_",
    "x64_sys_call",
    "el0_svc",
];
/// Those of them that name the system call.
const NAMED_CALLS: [&str; 5] = ["__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_", "ksys_"];
/// Functions of the kernel that serve page faults.
const FAULTS: [&str; 5] = [
    "asm_exc_page_fault",
    "exc_page_fault",
    "do_user_addr_fault",
    "handle_mm_fault",
    "do_page_fault",
];
/// Functions of the kernel that bring data from a disk into memory, or back.
const DISK: [&str; 14] = [
    "submit_bio",
    "blk_mq_",
    "blk_finish_plug",
    "__blk_",
    "page_cache_ra_",
    "page_cache_sync_ra",
    "page_cache_async_ra",
    "force_page_cache_ra",
    "read_pages",
    "filemap_read_folio",
    "iomap_dio_",
    "do_writepages",
    "file_write_and_wait_range",
    "jbd2_",
];
/// Functions of the kernel that are there because somebody looks: the probes themselves.
const PROBES: [&str; 7] = [
    "bpf_prog_",
    "bpf_trace_run",
    "__bpf_trace_",
    "__traceiter_",
    "trace_call_bpf",
    "syscall_trace_enter",
    "syscall_exit_work",
];

/// Functions of programs, of the C library and of languages' own, in which somebody waits for a lock: by parts of their
/// names.
const LOCKS: [&str; 9] = [
    "lll_lock_wait",
    "mutex_lock",
    "mutex::lock",
    "Mutex<",
    "RawMutex",
    "lock_contended",
    "lock_slow",
    "rwlock",
    "RwLock",
];
/// Functions of a program that are looked at for these, from the innermost on.
const NEAR: usize = 4;

/// Where a thread was when the clock met it.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Outside system calls: the kind of cause and the function, with how often.
    pub(super) own: BTreeMap<(CauseKind, String), u64>,
    /// In system calls, by name; an empty one where the kernel's way in or out was all there was.
    pub(super) calls: BTreeMap<String, InCall>,
    /// In what is there because somebody looks.
    pub(super) probes: u64,
}

/// How often a thread was met in a system call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InCall {
    pub(super) looks: u64,
    /// Of these, on the way to a disk or back.
    pub(super) disk: u64,
}

impl Places {
    /// Looks outside system calls.
    pub(super) fn own_looks(&self) -> u64 {
        self.own.values().sum()
    }

    /// Looks in system calls.
    pub(super) fn call_looks(&self) -> u64 {
        self.calls.values().map(|call| call.looks).sum()
    }

    /// Looks outside system calls whose time is spent on one of these.
    pub(super) fn of_kinds(&self, kinds: &[CauseKind]) -> u64 {
        let of_kinds = self.own.iter().filter(|((kind, _), _)| kinds.contains(kind));
        of_kinds.map(|(_, looks)| looks).sum()
    }

    /// The share of a system call's time that is spent on a disk.
    pub(super) fn disk_share(&self, call: &str) -> f64 {
        let of_call = self.calls.get(call).copied().unwrap_or_default();
        of_call.disk as f64 / of_call.looks.max(1) as f64
    }

    fn add(&mut self, met: Met, looks: u64) {
        match met {
            Met::Own(kind, function) => *self.own.entry((kind, function)).or_default() += looks,
            Met::Call { name, disk } => {
                let call = self.calls.entry(name).or_default();
                call.looks += looks;
                call.disk += if disk { looks } else { 0 };
            }
            Met::Probe => self.probes += looks,
        }
    }
}

/// Whether most of a thread's waiting in `futex` was for locks, by the names of what it called: somebody who holds a lock
/// may work meanwhile, and is still waited for as the holder.
pub(super) fn waits_for_locks(profile: &Profile, tid: u32) -> bool {
    let in_futex = |stack: &&Stack| {
        let of_kernel = |frame: &Frame| frame.layer == Layer::Kernel && frame.function.contains("futex");
        stack.tid == tid && stack.what == Counted::OffCpu && stack.frames.iter().any(of_kernel)
    };
    let (mut locks, mut all) = (0, 0);
    for stack in profile.stacks.iter().filter(in_futex) {
        all += stack.ns;
        locks += if is_for_a_lock(stack) { stack.ns } else { 0 };
    }
    2 * locks > all
}

fn is_for_a_lock(stack: &Stack) -> bool {
    let own = stack.frames.iter().filter(|frame| frame.layer != Layer::Kernel);
    let of_lock = |frame: &Frame| LOCKS.iter().any(|part| frame.function.contains(part));
    own.take(NEAR).any(of_lock)
}

/// The processes that are Wasm engines.
pub(super) fn engines(profile: &Profile) -> HashSet<u32> {
    let in_engine = |stack: &&Stack| {
        stack
            .frames
            .iter()
            .any(|frame| matches!(frame.layer, Layer::Engine | Layer::Compiler | Layer::Guest))
    };
    let threads: HashSet<u32> = profile
        .stacks
        .iter()
        .filter(in_engine)
        .map(|stack| stack.tid)
        .collect();
    let of_threads = profile
        .threads
        .iter()
        .filter(|thread| threads.contains(&thread.tid));
    of_threads.map(|thread| thread.pid).collect()
}

/// The places of one thread.
pub(super) fn places(profile: &Profile, tid: u32, is_engine: bool) -> Places {
    let looks = profile
        .stacks
        .iter()
        .filter(|stack| stack.tid == tid && stack.what == Counted::OnCpu);
    let mut places = Places::default();
    for stack in looks {
        places.add(met(&stack.frames, is_engine), stack.count);
    }
    places
}

/// What a look met.
enum Met {
    /// The program's own time, which page faults are part of.
    Own(CauseKind, String),
    /// A system call.
    Call { name: String, disk: bool },
    /// What would not be there if nobody looked.
    Probe,
}

fn met(frames: &[Frame], is_engine: bool) -> Met {
    let (kernel, user) = apart(frames);
    let through = |names: &[&str]| {
        kernel
            .iter()
            .any(|frame| names.iter().any(|name| frame.function.starts_with(name)))
    };
    if through(&PROBES) {
        return Met::Probe;
    }
    let disk = through(&DISK);
    let faults = through(&FAULTS);
    if !faults && through(&CALLS) {
        return Met::Call {
            name: called(kernel),
            disk,
        };
    }
    let kind = match user.first().map(|frame| frame.layer) {
        _ if faults && disk => CauseKind::IoWait,
        _ if user.iter().any(|frame| frame.layer == Layer::Compiler) => CauseKind::Compile,
        _ if faults => CauseKind::PageFaults,
        Some(Layer::Engine) => CauseKind::EngineCpu,
        Some(Layer::Library) if is_engine => CauseKind::EngineCpu,
        _ => CauseKind::UserCpu,
    };
    Met::Own(kind, function(user, kind))
}

/// The system call that kernel functions are below.
fn called(kernel: &[Frame]) -> String {
    let named = kernel.iter().find_map(|frame| {
        let mut names = NAMED_CALLS.iter();
        names.find_map(|begin| frame.function.strip_prefix(begin))
    });
    named.unwrap_or_default().to_owned()
}

/// The function that the time is counted for: of a page fault the one that touched the page, of an interrupt the one it
/// struck.
fn function(user: &[Frame], kind: CauseKind) -> String {
    let of_compiler = |frame: &&Frame| frame.layer == Layer::Compiler;
    let frame = match kind {
        CauseKind::Compile => user.iter().find(of_compiler),
        _ => user.first(),
    };
    frame.map_or_else(|| "unknown".to_owned(), |frame| frame.function.clone())
}

/// The kernel's frames, and the program's.
fn apart(frames: &[Frame]) -> (&[Frame], &[Frame]) {
    let kernel = frames
        .iter()
        .take_while(|frame| frame.layer == Layer::Kernel)
        .count();
    frames.split_at(kernel)
}
