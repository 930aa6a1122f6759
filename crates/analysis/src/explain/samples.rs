//! What a thread's own time was spent on, by the places where the clock met it.

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
/// Functions of the kernel that serve page faults.
const FAULTS: [&str; 5] = [
    "asm_exc_page_fault",
    "exc_page_fault",
    "do_user_addr_fault",
    "handle_mm_fault",
    "do_page_fault",
];

/// Where a thread was when the clock met it outside system calls: the kind of cause and the function, with how often.
pub(super) type Places = BTreeMap<(CauseKind, String), u64>;

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
    let mut places = Places::new();
    for stack in looks {
        if let Some(kind) = kind(&stack.frames, is_engine) {
            *places.entry((kind, function(&stack.frames, kind))).or_default() += stack.count;
        }
    }
    places
}

/// What time at this place is spent on; none in a system call, whose time is known.
fn kind(frames: &[Frame], is_engine: bool) -> Option<CauseKind> {
    let (kernel, user) = apart(frames);
    let through = |names: &[&str]| {
        kernel
            .iter()
            .any(|frame| names.iter().any(|name| frame.function.starts_with(name)))
    };
    if through(&FAULTS) {
        return Some(CauseKind::PageFaults);
    }
    if through(&CALLS) {
        return None;
    }
    if user.iter().any(|frame| frame.layer == Layer::Compiler) {
        return Some(CauseKind::Compile);
    }
    Some(match user.first().map(|frame| frame.layer) {
        Some(Layer::Engine) => CauseKind::EngineCpu,
        Some(Layer::Library) if is_engine => CauseKind::EngineCpu,
        _ => CauseKind::UserCpu,
    })
}

/// The function that the time is counted for: of a page fault the one that touched the page, of an interrupt the one it
/// struck.
fn function(frames: &[Frame], kind: CauseKind) -> String {
    let (_, user) = apart(frames);
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
