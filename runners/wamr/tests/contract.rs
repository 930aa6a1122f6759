//! The runner's contract with the daemon, tried on the built program.

wbd_runner_tests::contract! {
    runner: env!("CARGO_BIN_EXE_wbd-runner-wamr"),
    version: "wamr 2.4.3",
    modes: [interp],
    exceptions: {
        a_module_for_an_older_wasi_is_refused: "WAMR provides wasi_unstable as well, and the module runs",
    },
}
