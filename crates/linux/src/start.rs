//! Where a guest's `_start` lies in a file of machine code that an engine made of a module.
//!
//! Two engines' files are ELF: Wasmtime's `.cwasm`, whose symbols carry the functions' names, and WasmEdge's
//! shared objects, whose symbols count the module's functions and which hold the module itself. Where
//! either changes its ways nothing is found, which is no error: the guest's start is then not seen itself.

use std::fs::File;
use std::io::Read as _;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use wasmparser::{ExternalKind, Parser, Payload};

/// Largest file that is looked at, in bytes.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// As [`offset`], of what an open file holds.
#[must_use]
pub fn in_file(file: &File) -> Option<u64> {
    let mut data = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut data).ok()?;
    offset(&data)
}

/// The offset in the file of the first instruction of the module's exported function `_start`.
#[must_use]
pub fn offset(data: &[u8]) -> Option<u64> {
    let file = object::File::parse(data).ok()?;
    let symbol = by_name(&file).or_else(|| by_number(&file))?;
    let (section, within) = place(&file, &symbol)?;
    section.file_range()?.0.checked_add(within)
}

type Symbol<'file> = object::Symbol<'file, 'file>;

/// Wasmtime: `wasm[0]::function[7]::_start`. A module that a C compiler linked may export a wrapper, which calls
/// the function of the bare name.
fn by_name<'file>(file: &'file object::File<'file>) -> Option<Symbol<'file>> {
    let named = |wanted: &str| {
        let is = |symbol: &Symbol<'_>| {
            symbol
                .name()
                .is_ok_and(|name| name.rsplit("::").next() == Some(wanted))
        };
        file.symbols().find(is)
    };
    named("_start.command_export").or_else(|| named("_start"))
}

/// WasmEdge: `f7`, the function of that number in the module, which is there as `wasm.code`.
fn by_number<'file>(file: &'file object::File<'file>) -> Option<Symbol<'file>> {
    let named = |wanted: &str| file.dynamic_symbols().find(|symbol| symbol.name() == Ok(wanted));
    let (section, within) = place(file, &named("wasm.code")?)?;
    let module = section.data().ok()?.get(usize::try_from(within).ok()?..)?;
    named(&format!("f{}", exported_start(module)?))
}

/// The section a symbol lies in, and where in it.
fn place<'file>(
    file: &'file object::File<'file>,
    symbol: &Symbol<'file>,
) -> Option<(object::Section<'file, 'file>, u64)> {
    let section = file.section_by_index(symbol.section_index()?).ok()?;
    let within = symbol.address().checked_sub(section.address())?;
    (within < section.size()).then_some((section, within))
}

/// The number of the function that a module exports as `_start`. The module may be followed by something else.
fn exported_start(module: &[u8]) -> Option<u32> {
    let exports = Parser::new(0).parse_all(module).find_map(|part| match part {
        Ok(Payload::ExportSection(exports)) => Some(exports),
        _ => None,
    });
    let start = exports?
        .into_iter()
        .flatten()
        .find(|export| export.name == "_start");
    start
        .filter(|start| start.kind == ExternalKind::Func)
        .map(|start| start.index)
}

#[cfg(fuzzing)]
pub(crate) fn fuzz(module: &[u8]) {
    let _ = exported_start(module);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_program_without_such_a_function_has_no_start() {
        assert_eq!(offset(b"\x7fELF"), None);
        assert_eq!(offset(b"\0asm\x01\0\0\0"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = offset(&bytes);
        }
    }
}
