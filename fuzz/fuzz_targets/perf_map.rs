//! What a JIT says of the functions it has compiled.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wbd_linux::fuzz::perf_map(bytes));
