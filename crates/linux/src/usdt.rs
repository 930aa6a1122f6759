//! USDT probes of a program: where they lie in its file.
//!
//! A probe is a `nop` and a note in the section `.note.stapsdt` that names it (SystemTap's format, version 3:
//! three addresses, then provider, name and arguments as zero-terminated texts).

use std::path::{Path, PathBuf};

use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, elf};

/// Type of the notes that describe probes.
const NT_STAPSDT: elf::NoteType = elf::NoteType(3);

/// A probe of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whose it is.
    pub provider: String,
    /// Its name.
    pub name: String,
    /// Where its `nop` lies in the file.
    pub file_offset: u64,
}

/// Why a program's probes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UsdtError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not an ELF file for 64 bits, or a damaged one.
    #[error("{}: not a sound 64-bit ELF file: {source}", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
        /// Why.
        source: object::Error,
    },
}

/// The probes of the program in this file.
pub fn probes(path: &Path) -> Result<Vec<Probe>, UsdtError> {
    let data = std::fs::read(path).map_err(|source| UsdtError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    parse(&data).map_err(|source| UsdtError::NotElf {
        path: path.to_owned(),
        source,
    })
}

/// The probes of the program in these bytes.
pub fn parse(data: &[u8]) -> Result<Vec<Probe>, object::Error> {
    let file = ElfFile64::<Endianness>::parse(data)?;
    let (header, endian) = (file.elf_header(), file.endian());
    let sections = header.sections(endian, data)?;
    let linked_base = sections
        .section_by_name(endian, b".stapsdt.base")
        .map_or(0, |(_, section)| section.sh_addr(endian));
    let segments = header.program_headers(endian, data)?;
    let mut found = Vec::new();
    for section in sections.iter() {
        let Some(mut notes) = section.notes(endian, data)? else {
            continue;
        };
        while let Some(note) = notes.next()? {
            if note.n_type(endian) == NT_STAPSDT && note.name() == b"stapsdt" {
                found.extend(probe(note.desc(), linked_base, |address| {
                    file_offset(segments, endian, address)
                }));
            }
        }
    }
    Ok(found)
}

fn probe(desc: &[u8], linked_base: u64, to_file: impl Fn(u64) -> Option<u64>) -> Option<Probe> {
    let word = |at: usize| Some(u64::from_ne_bytes(desc.get(at..at + 8)?.try_into().ok()?));
    let (address, noted_base) = (word(0)?, word(8)?);
    // A prelinked file was moved after the note was written; the base section tells by how much.
    let moved = if linked_base == 0 {
        0
    } else {
        linked_base.wrapping_sub(noted_base)
    };
    let mut texts = desc
        .get(24..)?
        .split(|&byte| byte == 0)
        .map(String::from_utf8_lossy);
    let (provider, name) = (texts.next()?.into_owned(), texts.next()?.into_owned());
    Some(Probe {
        provider,
        name,
        file_offset: to_file(address.wrapping_add(moved))?,
    })
}

fn file_offset(
    segments: &[elf::ProgramHeader64<Endianness>],
    endian: Endianness,
    address: u64,
) -> Option<u64> {
    segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
        .find_map(|segment| {
            let into = address.checked_sub(segment.p_vaddr(endian))?;
            let is_inside = into < segment.p_filesz(endian);
            segment.p_offset(endian).checked_add(into).filter(|_| is_inside)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn this_program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn a_program_without_probes_has_none() {
        assert_eq!(parse(&this_program()).unwrap(), []);
    }

    #[test]
    fn a_note_gives_its_names_and_its_place_in_the_file() {
        let mut desc = Vec::new();
        for word in [0x1010_u64, 0x500, 0] {
            desc.extend(word.to_ne_bytes());
        }
        desc.extend(b"wbd\0guest\0\0");
        let found = probe(&desc, 0x600, |address| Some(address - 0x1000)).unwrap();
        assert_eq!((found.provider.as_str(), found.name.as_str()), ("wbd", "guest"));
        assert_eq!(
            found.file_offset, 0x110,
            "moved by as much as the base section was"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_damaged_program_is_read_or_refused(at in 0_usize..4096, byte in any::<u8>(), cut in 64_usize..1 << 20) {
            let mut bytes = this_program();
            bytes.truncate(cut);
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _ = parse(&bytes);
        }
    }
}
