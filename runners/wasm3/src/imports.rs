//! A module's imports, which Wasm3 does not name.

use wasmparser::{BinaryReaderError, Import, Parser, Payload};

/// All of them. Nothing behind the import section is read.
pub(crate) fn of(module: &[u8]) -> Result<Vec<Import<'_>>, BinaryReaderError> {
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => return imports.into_iter().collect(),
            Payload::CodeSectionStart { .. } => break,
            _ => {}
        }
    }
    Ok(Vec::new())
}
