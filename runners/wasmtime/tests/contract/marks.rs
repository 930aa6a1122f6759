//! The marks as the daemon finds them: notes in the built program.

use object::Endianness;
use object::elf::{FileHeader64, NoteType};
use object::read::elf::{FileHeader, SectionHeader};

/// `NT_STAPSDT`: the type of a note that describes a USDT probe.
const NT_STAPSDT: NoteType = NoteType(3);

/// Three addresses stand before the names: the probe's, the base's and the semaphore's.
const ADDRESSES: usize = 3 * size_of::<u64>();

fn names(descriptor: &[u8]) -> String {
    let mut names = descriptor[ADDRESSES..]
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy);
    let (provider, name) = (names.next().expect("a provider"), names.next().expect("a name"));
    format!("{provider}:{name}")
}

fn probes(program: &[u8]) -> Vec<String> {
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
        found.push(names(note.desc()));
    }
    found
}

#[test]
fn each_mark_stands_in_the_program_once() {
    let program = std::fs::read(crate::bench::RUNNER).expect("the runner can be read");
    let mut found = probes(&program);
    found.sort();
    assert_eq!(
        found,
        [
            "wbd:engine_ready",
            "wbd:guest",
            "wbd:instance_ready",
            "wbd:module_ready"
        ]
    );
}
