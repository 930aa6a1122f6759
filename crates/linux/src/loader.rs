//! The dynamic loader that a program's file names (`PT_INTERP`), and the room that there is for its name.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};

/// A program's dynamic loader, as its file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its path. The kernel looks it up as it stands: from the root, or else from whoever starts the program.
    pub path: PathBuf,
    /// Where in the file the name stands.
    pub offset: usize,
    /// Bytes that the file has for the name, the NUL that ends it included.
    pub room: usize,
}

/// The loader of the program in these bytes; none: it is static.
///
/// # Errors
///
/// They are not those of a sound ELF file for 64 bits.
pub fn named(data: &[u8]) -> Result<Option<Named>, object::Error> {
    let file = ElfFile64::<Endianness>::parse(data)?;
    let (header, endian) = (file.elf_header(), file.endian());
    let segments = header.program_headers(endian, data)?;
    let Some(segment) = segments
        .iter()
        .find(|segment| segment.p_type(endian) == elf::PT_INTERP)
    else {
        return Ok(None);
    };
    let bytes = segment.data(endian, data).unwrap_or_default();
    let name = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    let (offset, _) = segment.file_range(endian);
    Ok(Some(Named {
        path: OsStr::from_bytes(name).into(),
        offset: usize::try_from(offset).unwrap_or(usize::MAX),
        room: bytes.len(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_names_a_loader_where_it_says() {
        let bytes = std::fs::read("/proc/self/exe").unwrap();
        let named = named(&bytes).unwrap().expect("a dynamic program");
        assert!(named.path.is_file(), "{named:?}");
        let name = named.path.as_os_str().as_bytes();
        assert_eq!(&bytes[named.offset..named.offset + name.len()], name);
        assert_eq!(named.room, name.len() + 1);
    }

    #[test]
    fn what_is_no_program_is_an_error() {
        assert!(named(b"#!/bin/sh\n").is_err());
    }
}
