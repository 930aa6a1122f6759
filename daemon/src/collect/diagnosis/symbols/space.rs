//! What a process had in its memory, and when.

use std::collections::HashMap;

use super::layer;
use crate::collect::diagnosis::stacks::{FileMapping, Mapping};

/// One process's mappings.
#[derive(Debug, Default)]
pub(super) struct Space<'mappings> {
    /// The latest last.
    mappings: Vec<&'mappings Mapping>,
    engine: bool,
}

/// A place in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'mappings> {
    /// The file.
    pub(super) file: &'mappings FileMapping,
    /// Where in it.
    pub(super) offset: u64,
}

impl<'mappings> Space<'mappings> {
    /// The mappings, process by process.
    pub(super) fn of_processes(mappings: &'mappings [Mapping]) -> HashMap<u32, Self> {
        let mut spaces = HashMap::<u32, Self>::new();
        for mapping in mappings {
            let space = spaces.entry(mapping.pid).or_default();
            space.mappings.push(mapping);
            space.engine |= mapping
                .file
                .as_ref()
                .is_some_and(|file| layer::is_engines(&file.path));
        }
        for space in spaces.values_mut() {
            space.mappings.sort_by_key(|mapping| mapping.since_ns);
        }
        spaces
    }

    /// Whether a Wasm engine's program or library is mapped.
    pub(super) fn is_engines(&self) -> bool {
        self.engine
    }

    /// What file lay at an address at an instant; none: no file did.
    pub(super) fn find(&self, address: u64, at_ns: u64) -> Option<Place<'mappings>> {
        let covering = |mapping: &&&'mappings Mapping| (mapping.start..mapping.end).contains(&address);
        let before = self.mappings.partition_point(|mapping| mapping.since_ns <= at_ns);
        let (earlier, later) = self.mappings.split_at(before);
        // A stack's instant and a mapping's come by different ways: without an earlier one, the next one is meant.
        let mapping = earlier
            .iter()
            .rev()
            .find(covering)
            .or_else(|| later.iter().find(covering))?;
        let file = mapping.file.as_ref()?;
        Some(Place {
            file,
            offset: file.offset.saturating_add(address - mapping.start),
        })
    }
}
