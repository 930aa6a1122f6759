//! The names that a Wasm module carries for its functions.

use std::collections::HashMap;

use wasmparser::{KnownCustom, Name, NameSectionReader, Parser, Payload};

/// Most functions whose names are kept.
const MOST_FUNCTIONS: usize = 500_000;

/// Names by the functions' numbers, imports counted; as far as the module can be read.
pub(super) fn function_names(module: &[u8]) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(module).map_while(Result::ok) {
        if let Payload::CustomSection(section) = payload
            && let KnownCustom::Name(reader) = section.as_known()
        {
            names.extend(functions(reader));
        }
    }
    names
}

fn functions(reader: NameSectionReader<'_>) -> Vec<(u32, String)> {
    let maps = reader.into_iter().map_while(Result::ok);
    let functions = maps.filter_map(|name| match name {
        Name::Function(map) => Some(map),
        _ => None,
    });
    functions
        .flat_map(|map| map.into_iter().map_while(Result::ok))
        .take(MOST_FUNCTIONS)
        .map(|naming| (naming.index, naming.name.to_owned()))
        .collect()
}
