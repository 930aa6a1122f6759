//! Requests to run something, decoded and planned as the daemon does it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wbd_daemon::fuzz::run_request(bytes));
