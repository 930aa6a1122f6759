//! The runner's contract with the daemon, tried on the built program.

wbd_runner_tests::contract! {
    runner: env!("CARGO_BIN_EXE_wbd-runner-wasmi"),
    version: "wasmi 2.0.0",
    modes: [interp],
}
