//! From stacks of addresses to stacks of functions, after the process has gone.
//!
//! Frame pointers lead from function to function; code that was compiled without them ends the way early or leads
//! it astray. The innermost function is right all the same. A stack that does not reach where threads begin ends in
//! a frame that says so.

mod layer;
mod names;
mod space;

use std::collections::{BTreeMap, BTreeSet};

use wbd_linux::gate::Identity;
use wbd_linux::symbols::PerfMap;
use wbd_model::profile::{Counted, Frame, Layer, Stack};

use self::names::Names;
use self::space::Space;
use super::stacks::{Mapping, RawStack};

/// The outermost frame of a stack that does not reach where its thread began.
const INCOMPLETE: &str = "[stack incomplete]";
/// The outermost frame of all that an engine's threads do between the marks that the module is being made and is made:
/// much of a compiler's work lies in functions that do not say whose they are, such as `memmove`.
const COMPILING: &str = "[module in the making]";
/// Functions in which threads begin, or which lie right above: the C library itself has no frame pointers.
const BEGINNINGS: [&str; 9] = [
    "_start",
    "main",
    "__libc_start_main",
    "__libc_start_call_main",
    "start_thread",
    "clone",
    "clone3",
    "__clone3",
    "_dl_start",
];

/// Stacks of functions, and what could not be named.
#[derive(Debug)]
pub(crate) struct Symbolised {
    /// Stacks of the same functions are one; the one with the most time first.
    pub(crate) stacks: Vec<Stack>,
    /// Why functions have no names, file by file.
    pub(crate) warnings: Vec<String>,
}

/// Names what lay at the addresses of a run of `caller`'s, and removes the perf maps that its processes left.
pub(crate) fn symbolise(raw: &[RawStack], mappings: &[Mapping], caller: &Identity) -> Symbolised {
    let spaces = Space::of_processes(mappings);
    let mut names = Names::new(caller);
    names.learn_kernel(raw.iter().flat_map(kernel_addresses));
    let mut merged = BTreeMap::<(u32, Counted, Vec<Frame>), (u64, u64)>::new();
    for stack in raw {
        let frames = frames(stack, spaces.get(&stack.pid), &mut names);
        let (count, ns) = merged.entry((stack.tid, stack.what, frames)).or_default();
        *count += stack.count;
        *ns += stack.ns;
    }
    remove_perf_maps(raw, mappings, caller.uid);
    Symbolised {
        stacks: ranked(merged),
        warnings: names.warnings(),
    }
}

fn ranked(merged: BTreeMap<(u32, Counted, Vec<Frame>), (u64, u64)>) -> Vec<Stack> {
    let stacks = merged
        .into_iter()
        .map(|((tid, what, frames), (count, ns))| Stack {
            tid,
            what,
            count,
            ns,
            frames,
        });
    let mut stacks: Vec<Stack> = stacks.collect();
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.ns));
    stacks
}

fn remove_perf_maps(raw: &[RawStack], mappings: &[Mapping], user: u32) {
    let sampled = raw.iter().map(|stack| stack.pid);
    let pids: BTreeSet<u32> = sampled
        .chain(mappings.iter().map(|mapping| mapping.pid))
        .collect();
    for pid in pids {
        PerfMap::remove(pid, user);
    }
}

fn frames(stack: &RawStack, space: Option<&Space<'_>>, names: &mut Names) -> Vec<Frame> {
    let mut frames: Vec<Frame> = kernel_addresses(stack)
        .map(|address| names.kernel(address))
        .collect();
    let in_program = frames.len();
    for (depth, address) in called_from(&stack.user).enumerate() {
        let place = space.and_then(|space| space.find(address, stack.at_ns));
        let engine = space.is_some_and(Space::is_engines);
        frames.push(match place {
            Some(place) => names.in_file(place, engine),
            None => names.without_file(stack.pid, address, engine && depth == 0),
        });
    }
    let ended_early = |last: &Frame| !BEGINNINGS.contains(&last.function.as_str());
    if stack.compiling && space.is_some_and(Space::is_engines) {
        frames.push(compiling());
    } else if frames[in_program..].last().is_some_and(ended_early) {
        frames.push(incomplete());
    }
    frames
}

fn compiling() -> Frame {
    Frame {
        function: COMPILING.to_owned(),
        module: String::new(),
        layer: Layer::Compiler,
    }
}

fn incomplete() -> Frame {
    Frame {
        function: INCOMPLETE.to_owned(),
        module: String::new(),
        layer: Layer::Unknown,
    }
}

fn kernel_addresses(stack: &RawStack) -> impl Iterator<Item = u64> {
    called_from(&stack.kernel)
}

/// A caller's address is the one it will go on at, which after a call that never returns is another function's.
fn called_from(addresses: &[u64]) -> impl Iterator<Item = u64> {
    let call = |(depth, address): (usize, &u64)| address.saturating_sub(u64::from(depth > 0));
    addresses.iter().enumerate().map(call)
}

#[cfg(test)]
mod tests;
