//! Where a CPU keeps its own copy of a per-CPU variable.
//!
//! The kernel adds a CPU's shift to the address of the variable. It has a table of the shifts, but not every
//! kernel tells where. A per-CPU array map gives the same number away: the map holds the address of its
//! variable (`bpf_array.pptrs`), and a look-up the address of a CPU's copy; the shift is the difference.

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::helpers::generated::bpf_map_lookup_percpu_elem;

use crate::maps::{COMPASS, offsets};
use crate::task::read;

/// The address of the map, once it was asked for.
static mut MAP: u64 = 0;

/// What to add to the address of a per-CPU variable for its copy on `cpu`; none where there is no such CPU.
#[inline(always)]
pub fn shift(cpu: u32) -> Option<u64> {
    let map = &raw const COMPASS;
    let key = 0_u32;
    // SAFETY: a map of ours and a key on the stack; the helper answers null where there is no such CPU.
    let copy = unsafe { bpf_map_lookup_percpu_elem(map.cast_mut().cast(), (&raw const key).cast(), cpu) };
    if copy.is_null() {
        return None;
    }
    // SAFETY: words of our own data, each only ever written with the one number it is for.
    let (map, copy) = unsafe {
        (
            as_number(&raw mut MAP, map as u64),
            as_number(copy.cast(), copy as u64),
        )
    };
    let variable: u64 = read(map + u64::from(offsets().array_pptrs));
    Some(copy.wrapping_sub(variable))
}

/// A pointer as the plain number it is. The verifier forbids arithmetic on such pointers, but not on what
/// was written to a map's value and read back.
///
/// # Safety
///
/// `through` must be valid, aligned, and written with this one number alone: other CPUs do so meanwhile.
#[inline(always)]
unsafe fn as_number(through: *mut u64, pointer: u64) -> u64 {
    // SAFETY: the caller vouches for the word.
    unsafe {
        write_volatile(through, pointer);
        read_volatile(through)
    }
}
