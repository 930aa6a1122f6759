//! Stacks of this very process, whose functions are known.

use std::os::unix::fs::MetadataExt as _;

use procfs::process::{MMapPath, Process};
use wbd_linux::symbols::FileId;

use super::*;
use crate::collect::diagnosis::stacks::FileMapping;

const PID: u32 = 1;

fn ours() -> Identity {
    Identity::of_this_process().expect("it has one")
}

#[inline(never)]
fn inner() {}

#[inline(never)]
fn outer() {}

fn mappings() -> Vec<Mapping> {
    let maps = Process::myself().and_then(|me| me.maps()).expect("maps");
    let of_file = |map: &procfs::process::MemoryMap| {
        let MMapPath::Path(path) = &map.pathname else {
            return None;
        };
        let found = path.metadata().ok()?;
        let id = FileId {
            device: found.dev(),
            inode: map.inode,
        };
        Some(FileMapping {
            path: path.clone(),
            id,
            offset: map.offset,
        })
    };
    let mapping = |map: &procfs::process::MemoryMap| Mapping {
        pid: PID,
        since_ns: 10,
        start: map.address.0,
        end: map.address.1,
        file: of_file(map),
    };
    maps.iter().map(mapping).collect()
}

fn stack(user: Vec<u64>) -> RawStack {
    RawStack {
        pid: PID,
        tid: 7,
        at_ns: 20,
        what: Counted::OnCpu,
        compiling: false,
        count: 1,
        ns: 100,
        kernel: vec![],
        user,
    }
}

fn address(function: fn()) -> u64 {
    function as *const () as u64
}

fn functions(stack: &Stack) -> Vec<&str> {
    let last_word = |frame: &'_ Frame| frame.function.rsplit("::").next().map(str::len).unwrap_or(0);
    let frames = stack.frames.iter();
    frames
        .map(|frame| &frame.function[frame.function.len() - last_word(frame)..])
        .collect()
}

#[test]
fn functions_are_named_from_the_innermost_on() {
    let raw = [stack(vec![address(inner), address(outer) + 1])];
    let done = symbolise(&raw, &mappings(), &ours());
    assert_eq!(done.warnings, [""; 0]);
    assert_eq!(functions(&done.stacks[0]), ["inner", "outer", INCOMPLETE]);
    assert_eq!(done.stacks[0].frames[0].layer, Layer::Program);
    assert_eq!(done.stacks[0].tid, 7);
}

#[test]
fn stacks_of_the_same_functions_are_one_and_the_longest_comes_first() {
    let mut rare = stack(vec![address(outer)]);
    rare.ns = 150;
    let raw = [stack(vec![address(inner)]), rare, stack(vec![address(inner)])];
    let done = symbolise(&raw, &mappings(), &ours());
    let totals: Vec<_> = done.stacks.iter().map(|stack| (stack.count, stack.ns)).collect();
    assert_eq!(totals, [(2, 200), (1, 150)]);
}

#[test]
fn what_was_mapped_later_hides_what_was_there() {
    let mut mappings = mappings();
    let mut later = mappings
        .iter()
        .find(|m| (m.start..m.end).contains(&address(inner)))
        .expect("there")
        .clone();
    (later.since_ns, later.file) = (30, None);
    mappings.push(later);
    let (before, mut after) = (stack(vec![address(inner)]), stack(vec![address(inner)]));
    after.at_ns = 40;
    let named = |raw| functions(&symbolise(&[raw], &mappings, &ours()).stacks[0])[0] == "inner";
    assert!(named(before));
    assert!(!named(after));
}

#[test]
fn a_replaced_file_is_told_once_and_its_frames_keep_the_file() {
    let mut mappings = mappings();
    for file in mappings.iter_mut().filter_map(|mapping| mapping.file.as_mut()) {
        file.id.inode += 1;
    }
    let raw = [stack(vec![address(inner)]), stack(vec![address(outer)])];
    let done = symbolise(&raw, &mappings, &ours());
    assert_eq!(done.warnings.len(), 1, "{:?}", done.warnings);
    assert!(done.stacks[0].frames[0].function.contains("+0x"));
}

#[test]
fn without_a_file_the_innermost_frame_of_an_engine_is_the_guest_and_others_are_unknown() {
    let engine = Mapping {
        pid: PID,
        since_ns: 0,
        start: 0x1000,
        end: 0x2000,
        file: Some(FileMapping {
            path: "/nowhere/wbd-runner-wasmtime".into(),
            id: FileId { device: 0, inode: 0 },
            offset: 0,
        }),
    };
    let layers = |mappings: &[Mapping]| {
        let done = symbolise(&[stack(vec![0x9000, 0xa000])], mappings, &ours());
        let frames = &done.stacks[0].frames;
        [frames[0].layer, frames[1].layer]
    };
    assert_eq!(layers(&[engine]), [Layer::Guest, Layer::Unknown]);
    assert_eq!(layers(&[]), [Layer::Unknown; 2]);
}

#[test]
fn what_an_engine_does_while_its_module_is_made_is_compiling_whatever_it_is_called() {
    let mut raw = stack(vec![0x9000]);
    raw.compiling = true;
    let of = |path: &str| {
        let mapping = Mapping {
            pid: PID,
            since_ns: 0,
            start: 0x1000,
            end: 0x2000,
            file: Some(FileMapping {
                path: path.into(),
                id: FileId { device: 0, inode: 0 },
                offset: 0,
            }),
        };
        let done = symbolise(&[raw.clone()], &[mapping], &ours());
        done.stacks[0].frames.last().map(|frame| frame.layer)
    };
    assert_eq!(of("/nowhere/wbd-runner-wasmtime"), Some(Layer::Compiler));
    assert_eq!(of("/nowhere/ls"), Some(Layer::Unknown));
}

#[test]
fn a_kernels_frames_come_before_the_programs() {
    let mut raw = stack(vec![address(inner)]);
    raw.kernel = vec![0xffff_ffff_0000_0000];
    let done = symbolise(&[raw], &mappings(), &ours());
    assert_eq!(done.stacks[0].frames[0].layer, Layer::Kernel);
    assert_eq!(functions(&done.stacks[0])[1], "inner");
}
