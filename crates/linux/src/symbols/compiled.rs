//! Guests that an engine compiled ahead into an ELF file, which it maps.
//!
//! Wasmtime's has an operating system of its own in its header, and symbols with names; WasmEdge's is a shared object
//! whose symbols are `f` and the function's number, and carries the module, which has the names. Symbols are taken as
//! offsets in the file: that is what a mapping tells, and Wasmtime's file has no segments to go by.

use std::collections::HashMap;
use std::ops::Range;

use object::read::elf::ElfFile64;
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};

use super::name_section;
use super::readable::{guest, tidy};
use super::table::FunctionTable;
use super::{Function, Origin};

/// `EI_OSABI` of what Wasmtime writes.
const ELFOSABI_WASMTIME: u8 = 200;
/// Where it stands in a header.
const EI_OSABI: usize = 7;
/// The symbol at which WasmEdge keeps the module that it compiled.
const WASMEDGE_MODULE: &str = "wasm.code";

/// A guest's functions by their offsets in the file that an engine made of it.
#[derive(Debug)]
pub(super) enum Compiled {
    /// By Wasmtime.
    Wasmtime(FunctionTable),
    /// By WasmEdge.
    WasmEdge(FunctionTable, HashMap<u32, String>),
}

impl Compiled {
    /// What is in the file; none: no engine made it.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let file = ElfFile64::<Endianness>::parse(data).ok()?;
        if data.get(EI_OSABI) == Some(&ELFOSABI_WASMTIME) {
            return Some(Self::Wasmtime(functions(&file, file.symbols())));
        }
        let module = file
            .dynamic_symbols()
            .find(|symbol| symbol.name() == Ok(WASMEDGE_MODULE))?;
        let names = name_section::function_names(at(&file, data, module.address())?);
        Some(Self::WasmEdge(functions(&file, file.dynamic_symbols()), names))
    }

    /// The function at an offset in the file.
    pub(super) fn find(&self, offset: u64) -> Option<Function> {
        match self {
            Self::Wasmtime(functions) => functions.find(offset).map(guest),
            Self::WasmEdge(functions, names) => {
                functions.find(offset).map(|symbol| of_wasmedge(symbol, names))
            }
        }
    }
}

fn of_wasmedge(symbol: &str, names: &HashMap<u32, String>) -> Function {
    let number = symbol
        .strip_prefix('f')
        .and_then(|number| number.parse::<u32>().ok());
    let named = number.and_then(|number| names.get(&number));
    Function {
        name: named.map_or_else(|| symbol.to_owned(), |name| tidy(name)),
        origin: if number.is_some() {
            Origin::Guest
        } else {
            Origin::Trampoline
        },
    }
}

fn functions<'data>(
    file: &ElfFile64<'data, Endianness>,
    symbols: impl Iterator<Item = impl object::ObjectSymbol<'data>>,
) -> FunctionTable {
    let mut table = FunctionTable::default();
    for symbol in symbols.filter(|symbol| symbol.kind() == SymbolKind::Text) {
        let range = symbol.section_index().and_then(|section| {
            let section = file.section_by_index(section).ok()?;
            let within = symbol.address().checked_sub(section.address())?;
            in_file(section.file_range()?, within, symbol.size())
        });
        if let (Some(range), Ok(name)) = (range, symbol.name()) {
            table.insert(range, name);
        }
    }
    table
}

fn in_file((start, size): (u64, u64), within: u64, length: u64) -> Option<Range<u64>> {
    let end = within.checked_add(length).filter(|end| *end <= size)?;
    Some(start.checked_add(within)?..start.checked_add(end)?)
}

/// The file from what the address names on, to the end of its section.
fn at<'data>(file: &ElfFile64<'data, Endianness>, data: &'data [u8], address: u64) -> Option<&'data [u8]> {
    let holds = |section: &object::read::elf::ElfSection64<'data, '_, Endianness>| {
        let end = section.address().saturating_add(section.size());
        (section.address()..end).contains(&address)
    };
    let section = file.sections().find(holds)?;
    let (start, size) = section.file_range()?;
    let range = in_file((start, size), address - section.address(), 0)?;
    let end = start.checked_add(size)?;
    data.get(usize::try_from(range.start).ok()?..usize::try_from(end).ok()?)
}
