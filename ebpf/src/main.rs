//! The kernel side of wbd: tells the daemon what registered runs do, and when.
//!
//! Every program first finds the run the current task belongs to ([`run`]) and leaves at once where there
//! is none. What it has to say is one fixed-size record (`wbd_abi::Event`) in a ring buffer; a record that
//! finds no room is counted against its run. Nothing is decided here.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod atomic;
mod engine;
mod first_user;
mod interrupt;
mod maps;
mod marks;
mod noise;
mod percpu;
mod process;
mod run;
mod switch;
mod task;

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
