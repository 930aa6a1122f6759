//! The one atomic operation every BPF kernel has; `core::sync::atomic` offers none for this target.

use core::arch::asm;

/// Adds to a word that other CPUs change too.
///
/// # Safety
///
/// `word` must be valid for writing and aligned, and changed by this function alone.
#[inline(always)]
pub unsafe fn add(word: *mut u64, by: i64) {
    // SAFETY: the caller vouches for the word; the instruction touches nothing else.
    unsafe { asm!("lock *(u64 *)({} + 0) += {}", in(reg) word, in(reg) by) };
}
