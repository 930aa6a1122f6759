//! The diagnosis programs: where every thread of one run spends its life.
//!
//! A thread is on a CPU in its own code or in a system call, asleep, or ready to run and waiting for a CPU. Each change
//! between these closes one stretch of time, which is added up here ([`life`]); the daemon reads the sums when the run is
//! over. Nothing is decided here, and no event leaves the kernel by itself: a million system calls a second lose no count.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

#[path = "../atomic.rs"]
mod atomic;
mod calls;
mod life;
mod maps;
mod occupancy;
mod scheduler;

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
