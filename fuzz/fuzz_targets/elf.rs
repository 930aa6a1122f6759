//! Programs, and code that engines compiled ahead.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wbd_linux::fuzz::elf(bytes));
