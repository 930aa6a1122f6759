//! What the kernel sends over netlink.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wbd_linux::fuzz::taskstats(bytes));
