//! The daemon's configuration file.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| wbd_daemon::fuzz::configuration(text));
