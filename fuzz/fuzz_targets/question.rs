//! Every other request of the API.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wbd_daemon::fuzz::question(bytes));
