//! Whether code is slow because memory is: told from how much memory a run touches in a moment.
//!
//! Without hardware counters nobody sees a cache miss. What can be seen is which pages were touched while a run had a CPU
//! for a millisecond or so. Code that does more work touches no more of them in that time; code that waits for memory
//! goes through many, and more than the caches of its CPU hold.

use super::Side;

/// So many times as many bytes as the other side must the slower one touch in the same time.
const FARTHER: f64 = 4.0;

/// How much memory a run touches in a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reach {
    /// Bytes of pages touched while it had a CPU for [`Self::cpu_ns`], the median of some looks.
    pub bytes: u64,
    /// How long it had a CPU meanwhile.
    pub cpu_ns: u64,
    /// What the CPU has for itself: its second-level cache, in bytes.
    pub cache_bytes: u64,
}

impl Reach {
    /// Bytes touched in a millisecond on a CPU.
    #[must_use]
    pub fn bytes_per_ms(&self) -> f64 {
        self.bytes as f64 * 1e6 / self.cpu_ns.max(1) as f64
    }
}

/// Whether the slower side's own code is slow for its memory: it touches much more than the other in the same time, more
/// than its CPU's cache holds. Where the other is over too soon to be looked at, it must be much more than that.
pub(super) fn is_memory(sides: &[Side; 2], slower: usize) -> bool {
    let Some(far) = sides[slower].reach else {
        return false;
    };
    let reaches_farther = match sides[1 - slower].reach {
        Some(near) => far.bytes_per_ms() >= FARTHER * near.bytes_per_ms(),
        None => far.bytes_per_ms() >= FARTHER * far.cache_bytes as f64,
    };
    far.bytes > far.cache_bytes && reaches_farther
}
