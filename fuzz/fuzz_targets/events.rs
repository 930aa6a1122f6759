//! Records of the ring buffer, decoded and made into samples.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wbd_daemon::fuzz::events(bytes));
