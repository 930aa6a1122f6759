//! Manifests of workloads.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| wbd_daemon::fuzz::manifest(text));
