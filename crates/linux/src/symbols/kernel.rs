//! The kernel's functions, by `/proc/kallsyms`.

use blazesym::MaybeDefault;
use blazesym::symbolize::source::{Kernel as Running, Source};
use blazesym::symbolize::{Input, Symbolizer};

use super::readable::tidy;

/// The running kernel and its modules. Without root `/proc/kallsyms` has no addresses, and nothing is found.
#[derive(Debug)]
pub struct Kernel {
    symbolizer: Symbolizer,
    source: Source<'static>,
}

impl Default for Kernel {
    fn default() -> Self {
        // A kernel image for debugging may lie somewhere, and be of another build.
        let source = Running {
            vmlinux: MaybeDefault::None,
            debug_syms: false,
            ..Running::default()
        };
        Self {
            symbolizer: Symbolizer::builder().enable_code_info(false).build(),
            source: source.into(),
        }
    }
}

impl Kernel {
    /// The names of the functions at these addresses, in their order.
    #[must_use]
    pub fn names(&self, addresses: &[u64]) -> Vec<Option<String>> {
        let found = self.symbolizer.symbolize(&self.source, Input::AbsAddr(addresses));
        let Ok(found) = found else {
            return vec![None; addresses.len()];
        };
        let name = |found: &blazesym::symbolize::Symbolized<'_>| Some(tidy(&found.as_sym()?.name));
        found.iter().map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held against the file itself, where this process may read it.
    #[test]
    fn every_address_has_the_name_that_the_kernel_gives_it() {
        let all = std::fs::read_to_string("/proc/kallsyms").expect("there");
        let functions = all.lines().filter_map(|line| {
            let mut words = line.split(' ');
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            let named = (words.next()?.eq_ignore_ascii_case("t") && address > 0).then_some(address)?;
            Some((named, words.next()?.split('\t').next()?.to_owned()))
        });
        let some: Vec<_> = functions.step_by(997).collect();
        let addresses: Vec<u64> = some.iter().map(|(address, _)| *address).collect();
        let kernel = Kernel::default();
        for ((address, name), found) in some.iter().zip(kernel.names(&addresses)) {
            let aliases = all
                .lines()
                .filter(|line| line.starts_with(&format!("{address:016x}")));
            let names: Vec<_> = aliases
                .filter_map(|line| line.split([' ', '\t']).nth(2))
                .collect();
            let found = found.unwrap_or_else(|| panic!("{name} was not found"));
            assert!(names.contains(&found.as_str()), "{found} is none of {names:?}");
        }
    }
}
