//! USDT notes, as the daemon finds them in a built program.

use object::Endianness;
use object::elf::{FileHeader64, NoteType};
use object::read::elf::{FileHeader, SectionHeader};

/// `NT_STAPSDT`: the type of a note that describes a USDT probe.
const NT_STAPSDT: NoteType = NoteType(3);

/// Three addresses stand before the names: the probe's, the base's and the semaphore's.
const ADDRESSES: usize = 3 * size_of::<u64>();

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    /// `PROVIDER:NAME`.
    pub name: String,
    /// Its address, as the program was linked.
    pub address: u64,
}

/// Every probe in the program at `path`.
///
/// # Panics
///
/// It is no 64-bit little-endian ELF file with notes of probes, and of nothing else, in `.note.stapsdt`.
#[must_use]
pub fn probes(path: &str) -> Vec<Probe> {
    let program = std::fs::read(path).expect("the runner can be read");
    let program = program.as_slice();
    let header = FileHeader64::<Endianness>::parse(program).expect("an ELF file");
    let endian = header.endian().expect("a byte order");
    let sections = header.sections(endian, program).expect("sections");
    let (_, section) = sections
        .section_by_name(endian, b".note.stapsdt")
        .expect("the notes are in the program");
    let mut notes = section.notes(endian, program).expect("readable").expect("notes");
    let mut found = Vec::new();
    while let Some(note) = notes.next().expect("a whole note") {
        assert_eq!(note.n_type(endian), NT_STAPSDT);
        found.push(probe(note.desc()));
    }
    found
}

fn probe(descriptor: &[u8]) -> Probe {
    let (address, _) = descriptor.split_first_chunk().expect("an address");
    let mut names = descriptor[ADDRESSES..]
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy);
    let (provider, name) = (names.next().expect("a provider"), names.next().expect("a name"));
    Probe {
        name: format!("{provider}:{name}"),
        address: u64::from_le_bytes(*address),
    }
}
