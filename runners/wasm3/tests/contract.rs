//! The runner's contract with the daemon, tried on the built program.

wbd_runner_tests::contract! {
    runner: env!("CARGO_BIN_EXE_wbd-runner-wasm3"),
    version: "wasm3 0.9.0",
    modes: [interp],
}
