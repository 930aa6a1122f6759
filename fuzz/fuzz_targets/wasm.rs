//! Modules: their exports, the names they carry, and the imports that Wasm3's runner looks for.
#![no_main]

#[path = "../../runners/wasm3/src/imports.rs"]
mod imports;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wbd_linux::fuzz::wasm(bytes);
    let _ = imports::of(bytes);
});
