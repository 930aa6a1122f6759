//! Ways in for the fuzz targets of `fuzz/`: what is read here that others wrote. Compiled for them alone.

use std::fs::File;
use std::io::Write as _;

use crate::{entry, image, start, symbols, taskstats, usdt};

/// Reads a program's file for all that is wanted of one.
pub fn elf(bytes: &[u8]) {
    let _ = usdt::parse(bytes);
    let _ = start::offset(bytes);
    symbols::fuzz::compiled(bytes);
    let file = in_memory(bytes);
    let _ = image::run_by(&file);
    let _ = entry::hidden(&file);
    symbols::fuzz::mapped(file, bytes.len() as u64);
}

/// Reads a module's names and exports.
pub fn wasm(bytes: &[u8]) {
    symbols::fuzz::names(bytes);
    start::fuzz(bytes);
}

/// Reads what the kernel sends.
pub fn taskstats(bytes: &[u8]) {
    taskstats::fuzz(bytes);
}

/// Reads what a JIT says of its functions, and asks for some of them.
pub fn perf_map(bytes: &[u8]) {
    let map = symbols::PerfMap::parse(bytes);
    for address in [0, 0x1000, 0x7f00_0000_0000, u64::MAX] {
        let _ = map.find(address);
    }
}

fn in_memory(bytes: &[u8]) -> File {
    let flags = nix::sys::memfd::MFdFlags::MFD_CLOEXEC;
    let made = nix::sys::memfd::memfd_create("fuzz", flags).expect("a file in memory");
    let mut file = File::from(made);
    file.write_all(bytes).expect("room in memory");
    file
}
