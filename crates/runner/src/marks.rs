//! Marks: one USDT probe of provider `wbd` for each step on the way to the guest.
//!
//! A probe is a `nop` and an ELF note that says where the `nop` is. The daemon puts a uprobe on it, so
//! a run that nobody traces pays nothing. Each mark is a function that is never inlined: the compiler
//! may copy an inlined probe into several places, and a run would then pass the one the daemon does not
//! watch. A run passes the marks in the order below, each once.

use probe::probe;

/// The engine is made.
#[inline(never)]
pub fn engine_ready() {
    probe!(wbd, engine_ready);
}

/// The guest's code is compiled or loaded.
#[inline(never)]
pub fn module_ready() {
    probe!(wbd, module_ready);
}

/// The guest's imports are linked, its memory is made and `_start` is found.
#[inline(never)]
pub fn instance_ready() {
    probe!(wbd, instance_ready);
}

/// `_start` is called next.
#[inline(never)]
pub fn guest() {
    probe!(wbd, guest);
}
