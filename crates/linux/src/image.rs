//! What a program's file asks to be run by: the interpreter of a script, or the dynamic loader of an ELF file.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, FileKind, ReadCache, ReadRef};

/// How often in a row a script's interpreter may be a script itself, the program included, as Linux has it.
pub const DEEPEST: usize = 5;
/// Bytes of a script's first line that Linux reads.
const SCRIPT_LINE_BYTES: usize = 256;
/// Bytes of program headers beyond which Linux refuses a program.
const MOST_HEADER_BYTES: usize = 64 * 1024;
/// Bytes of an interpreter's path beyond which Linux refuses a program.
const MOST_PATH_BYTES: u64 = 4096;

/// What a program's file asks to be run by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunBy {
    /// Nothing: a static program, or none that is known here.
    Itself,
    /// A script's interpreter.
    Interpreter(PathBuf),
    /// A dynamic loader, which maps libraries.
    Loader(PathBuf),
}

/// What a program's file asks to be run by.
///
/// # Errors
///
/// The file cannot be read.
pub fn run_by(file: &File) -> io::Result<RunBy> {
    let mut start = [0; SCRIPT_LINE_BYTES];
    let read = file.read_at(&mut start, 0)?;
    if let Some(line) = start[..read].strip_prefix(b"#!") {
        return Ok(interpreter(line).map_or(RunBy::Itself, RunBy::Interpreter));
    }
    let data = ReadCache::new(file);
    Ok(loader(&data).map_or(RunBy::Itself, RunBy::Loader))
}

/// The first word of the line.
fn interpreter(line: &[u8]) -> Option<PathBuf> {
    let line = line.split(|&byte| byte == b'\n').next()?;
    let mut words = line
        .split(|byte| b" \t\r\0".contains(byte))
        .filter(|word| !word.is_empty());
    Some(OsStr::from_bytes(words.next()?).into())
}

fn loader<'data>(data: impl ReadRef<'data>) -> Option<PathBuf> {
    match FileKind::parse(data).ok()? {
        FileKind::Elf64 => segment::<FileHeader64<Endianness>>(data),
        FileKind::Elf32 => segment::<FileHeader32<Endianness>>(data),
        _ => None,
    }
}

/// The path in the segment `PT_INTERP`. What is larger than the kernel would take is not read: a file with holes can be
/// of any size.
fn segment<'data, Elf: FileHeader<Endian = Endianness>>(data: impl ReadRef<'data>) -> Option<PathBuf> {
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let header_bytes = usize::from(header.e_phnum(endian)) * size_of::<Elf::ProgramHeader>();
    if header_bytes > MOST_HEADER_BYTES {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    let path = segments
        .iter()
        .filter(|segment| segment.p_filesz(endian).into() <= MOST_PATH_BYTES)
        .find_map(|segment| segment.interpreter(endian, data).ok()?)?;
    Some(OsStr::from_bytes(path).into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn of(content: &[u8]) -> RunBy {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        run_by(&file).unwrap()
    }

    #[test]
    fn a_script_names_its_interpreter() {
        assert_eq!(of(b"#!/bin/sh\necho"), RunBy::Interpreter("/bin/sh".into()));
        assert_eq!(
            of(b"#! /usr/bin/env -S x\n"),
            RunBy::Interpreter("/usr/bin/env".into())
        );
        assert_eq!(of(b"#!"), RunBy::Itself);
        assert_eq!(of(b""), RunBy::Itself);
    }

    #[test]
    fn this_test_names_its_loader_as_the_kernel_shows_it_mapped() {
        let RunBy::Loader(loader) = run_by(&File::open("/proc/self/exe").unwrap()).unwrap() else {
            return; // built for a C library that is linked in
        };
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let real = loader.canonicalize().unwrap();
        assert!(
            maps.contains(real.to_str().unwrap()),
            "{} in {maps}",
            real.display()
        );
    }

    /// Without a bound this test would need 64 GiB of memory.
    #[test]
    fn a_path_as_long_as_a_file_with_holes_is_not_read() {
        const LENGTH: u64 = 64 << 30;
        let mut program = std::fs::read("/proc/self/exe").unwrap();
        let word = |at: usize, bytes: usize| at..at + bytes;
        let table = usize::from_le_bytes(program[word(32, 8)].try_into().unwrap());
        let count = u16::from_le_bytes(program[word(56, 2)].try_into().unwrap());
        for header in (0..usize::from(count)).map(|number| table + number * 56) {
            if program[word(header, 4)] == 3_u32.to_le_bytes() {
                program[word(header + 32, 8)].copy_from_slice(&(LENGTH - (1 << 20)).to_le_bytes());
            }
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&program[..program.len().min(64 * 1024)]).unwrap();
        file.set_len(LENGTH).unwrap();
        assert_eq!(run_by(&file).unwrap(), RunBy::Itself);
    }

    proptest! {
        #[test]
        fn nothing_foreign_panics(tail in proptest::collection::vec(any::<u8>(), 0..400)) {
            of(&tail);
            of(&[b"\x7fELF\x02\x01\x01\0", &tail[..]].concat());
        }
    }
}
