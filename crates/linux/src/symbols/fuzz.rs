//! The private readers of this room, for [`crate::fuzz`].

use std::fs::File;

use super::compiled::Compiled;
use super::{mapped, name_section};

/// Places in a file that are asked for.
const OFFSETS: [u64; 5] = [0, 0x40, 0x1000, 0x1_0000, u64::MAX];

pub(crate) fn compiled(bytes: &[u8]) {
    if let Some(compiled) = Compiled::read(bytes) {
        for offset in OFFSETS {
            let _ = compiled.find(offset);
        }
    }
}

pub(crate) fn mapped(file: File, bytes: u64) {
    let file = mapped::of_file(file).expect("a file in memory can be read");
    let _ = file.functions(&OFFSETS);
    let _ = file.functions(&[bytes / 2, bytes]);
}

pub(crate) fn names(module: &[u8]) {
    let _ = name_section::function_names(module);
}
