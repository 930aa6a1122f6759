//! Names as a reader wants them.

use super::{Function, Origin};

/// Most characters of a name that is kept.
const MOST_CHARACTERS: usize = 256;

/// A guest's function by what an engine calls it.
///
/// Wasmtime writes `wasm[0]::function[7]::NAME`, and gives its own ways in and out of the guest names with
/// `trampoline` in them, a builtin's among them.
pub(super) fn guest(written: &str) -> Function {
    let name = function_of_wasmtime(written);
    let trampoline = name.is_none() && is_trampoline(written);
    Function {
        name: tidy(name.unwrap_or(written)),
        origin: if trampoline {
            Origin::Trampoline
        } else {
            Origin::Guest
        },
    }
}

fn function_of_wasmtime(written: &str) -> Option<&str> {
    let (_, function) = written.strip_prefix("wasm[")?.split_once("]::function[")?;
    let (number, name) = function.split_once("]::")?;
    (number.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty()).then_some(name)
}

fn is_trampoline(written: &str) -> bool {
    let written = written
        .strip_prefix("wasm[")
        .and_then(|rest| rest.split_once("]::"));
    written.is_some_and(|(_, kind)| !kind.starts_with("function["))
}

/// Demangled, without control characters, and of bounded length.
pub(super) fn tidy(name: &str) -> String {
    let readable = match rustc_demangle::try_demangle(name) {
        Ok(demangled) => format!("{demangled:#}"),
        Err(_) => name.to_owned(),
    };
    let plain = readable.chars().map(|c| if c.is_control() { '_' } else { c });
    plain.take(MOST_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_engines_own_ways_are_told_from_the_guests_functions() {
        let of = |written| {
            let Function { name, origin } = guest(written);
            (name, origin)
        };
        assert_eq!(
            of("wasm[0]::function[7]::main"),
            ("main".to_owned(), Origin::Guest)
        );
        assert_eq!(of("wasm[0]::function[7]::a::b]::c").0, "a::b]::c");
        let way = "wasm[0]::array_to_wasm_trampoline[3]";
        assert_eq!(of(way), (way.to_owned(), Origin::Trampoline));
        assert_eq!(of("fannkuch"), ("fannkuch".to_owned(), Origin::Guest));
    }

    #[test]
    fn names_of_rust_are_demangled() {
        assert_eq!(tidy("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
        assert_eq!(tidy("_RNvC6_123foo3bar"), "123foo::bar");
    }

    proptest! {
        #[test]
        fn no_name_is_long_or_moves_the_cursor(name in "\\PC{0,40}[\\x00-\\x1f]{0,3}_?[ZR]?[\\PC]{0,400}") {
            let Function { name, .. } = guest(&name);
            prop_assert!(name.chars().count() <= MOST_CHARACTERS);
            prop_assert!(!name.chars().any(char::is_control));
        }
    }
}
