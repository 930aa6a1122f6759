//! Functions by the addresses that their code takes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// Which function an address is in. Ranges never overlap: what is inserted later takes the place of what was there,
/// as code that is compiled later takes the place of code that was thrown away.
#[derive(Debug, Default)]
pub struct FunctionTable {
    by_start: BTreeMap<u64, (u64, Rc<str>)>,
}

impl FunctionTable {
    /// Enters a function; an empty range is nothing.
    pub fn insert(&mut self, range: Range<u64>, name: &str) {
        if range.is_empty() {
            return;
        }
        self.vacate(&range);
        self.by_start.insert(range.start, (range.end, name.into()));
    }

    /// The function at an address.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<&str> {
        let (_, (end, name)) = self.by_start.range(..=address).next_back()?;
        (address < *end).then_some(&**name)
    }

    /// How many ranges there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_start.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }

    /// Removes what lies in the range, and shortens what reaches into it.
    fn vacate(&mut self, range: &Range<u64>) {
        let before = self.by_start.range_mut(..range.start).next_back();
        if let Some((_, (end, name))) = before
            && *end > range.start
        {
            let (reached, name) = (*end, name.clone());
            *end = range.start;
            if reached > range.end {
                self.by_start.insert(range.end, (reached, name));
            }
        }
        let within: Vec<u64> = self
            .by_start
            .range(range.clone())
            .map(|(start, _)| *start)
            .collect();
        for start in within {
            let Some((end, name)) = self.by_start.remove(&start) else {
                continue;
            };
            if end > range.end {
                self.by_start.insert(range.end, (end, name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Held against a table with one entry for each address.
        #[test]
        fn the_last_one_entered_is_found(
            entered in prop::collection::vec((0_u64..200, 0_u64..60), 0..40),
        ) {
            let mut table = FunctionTable::default();
            let mut truth = vec![None; 300];
            for (number, (start, length)) in entered.into_iter().enumerate() {
                let name = number.to_string();
                table.insert(start..start + length, &name);
                truth[start as usize..(start + length) as usize].fill(Some(name));
            }
            for (address, expected) in truth.iter().enumerate() {
                prop_assert_eq!(table.find(address as u64), expected.as_deref());
            }
        }
    }
}
