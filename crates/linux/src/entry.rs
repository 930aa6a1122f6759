//! The entry point of a program at which no page fault can be waited for.
//!
//! A dynamic loader reads the program's headers before the program runs. Where they share a segment with the code, as GNU
//! ld has it on all architectures but x86 (`-z noseparate-code`), the kernel maps the pages around them along with them,
//! code included, and the first instruction of the program faults no more.

use std::fs::File;

use object::elf::FileHeader64;
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, ReadCache, ReadRef, elf};

/// Bytes of program headers beyond which Linux refuses a program.
const MOST_HEADER_BYTES: usize = 64 * 1024;

/// The offset in the file of such an entry point; none: its fault can be waited for, or this is no program for 64 bits.
#[must_use]
pub fn hidden(file: &File) -> Option<u64> {
    in_program(&ReadCache::new(file))
}

fn in_program<'data>(data: impl ReadRef<'data>) -> Option<u64> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let header_bytes = usize::from(header.e_phnum(endian)) * size_of::<elf::ProgramHeader64<Endianness>>();
    if header_bytes > MOST_HEADER_BYTES {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    let mut types = segments.iter().map(|segment| segment.p_type(endian));
    if !types.any(|kind| kind == elf::PT_INTERP) {
        return None;
    }
    let entry = header.e_entry(endian);
    segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD && segment.p_offset(endian) == 0)
        .find_map(|segment| {
            let within = entry.checked_sub(segment.p_vaddr(endian))?;
            (within < segment.p_filesz(endian)).then_some(within)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CODE: u64 = 0x1000;

    /// A program of two segments, the first with the headers; `interpreter` is the type of a third.
    fn program(entry: u64, interpreter: u32) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(24, 0);
        bytes.extend(entry.to_le_bytes());
        bytes.extend(64_u64.to_le_bytes()); // where the program headers begin
        bytes.resize(52, 0);
        for half in [64_u16, 56, 3] {
            bytes.extend(half.to_le_bytes()); // sizes of the two kinds of header, and how many segments there are
        }
        bytes.resize(64, 0);
        for (kind, offset) in [(elf::PT_LOAD.0, 0), (elf::PT_LOAD.0, CODE), (interpreter, 0)] {
            bytes.extend(kind.to_le_bytes());
            bytes.extend(5_u32.to_le_bytes());
            for word in [offset, offset, offset, CODE, CODE, CODE] {
                bytes.extend(word.to_le_bytes());
            }
        }
        bytes
    }

    #[test]
    fn an_entry_beside_the_headers_is_hidden_and_one_in_a_segment_of_its_own_is_not() {
        let of = |entry, interpreter: u32| in_program(&program(entry, interpreter)[..]);
        assert_eq!(of(0x640, elf::PT_INTERP.0), Some(0x640));
        assert_eq!(of(CODE + 0x40, elf::PT_INTERP.0), None);
        assert_eq!(of(0x640, elf::PT_NOTE.0), None, "a static program has no loader");
    }

    #[test]
    fn what_is_no_program_has_none() {
        assert_eq!(in_program(&b"#!/bin/sh\n"[..]), None);
        assert_eq!(hidden(&File::open("/dev/null").unwrap()), None);
    }

    proptest! {
        #[test]
        fn nothing_foreign_panics(at in 0..232_usize, bytes in prop::collection::vec(any::<u8>(), 0..16)) {
            let mut program = program(0x640, elf::PT_INTERP.0);
            let end = (at + bytes.len()).min(program.len());
            program.splice(at..end, bytes);
            let _ = in_program(&program[..]);
        }
    }
}
