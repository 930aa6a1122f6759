//! The runner's contract with the daemon, tested on the built program.

wbd_runner_tests::contract! {
    runner: env!("CARGO_BIN_EXE_wbd-runner-wasmer-cranelift"),
    version: "wasmer 7.4.2 cranelift",
    modes: [jit, aot],
    exceptions: {
        a_module_for_an_older_wasi_is_refused: "WASIX provides wasi_unstable as well, and the module runs",
    },
}
