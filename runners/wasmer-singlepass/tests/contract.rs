//! The runner's contract with the daemon, tested on the built program.

use wbd_runner_tests::{Mode, guests};

wbd_runner_tests::contract! {
    runner: env!("CARGO_BIN_EXE_wbd-runner-wasmer-singlepass"),
    version: "wasmer 7.4.2 singlepass",
    modes: [jit, aot],
    exceptions: {
        a_module_for_an_older_wasi_is_refused: "WASIX provides wasi_unstable as well, and the module runs",
    },
}

/// Where the version of the format stands, behind two names.
const VERSION: std::ops::Range<usize> = 24..28;

#[test]
fn machine_code_of_another_version_is_refused() {
    let bench = SUBJECT.in_mode(Mode::Aot).guest(guests::EXITS_SEVEN);
    let path = bench.path(bench.module_name());
    let mut code = std::fs::read(&path).expect("the code can be read");
    assert_eq!(&code[..22], b"wasmer-universalWASMER");
    assert_eq!(code[VERSION], 24_u32.to_le_bytes());
    code[VERSION].copy_from_slice(&23_u32.to_le_bytes());
    bench.write(bench.module_name(), &code);
    let output = bench.run(&[]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{message}");
    assert!(message.contains("version"), "{message}");
}

/// Makes the file `made` in the directory it was given and writes to it; ends without closing it.
const WRITES_A_FILE: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 1024) "made")
    (func (export "_start")
        (drop (call $open (i32.const 4) (i32.const 0) (i32.const 1024) (i32.const 4)
            (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 4))
        (call $exit (call $write (i32.load (i32.const 64)) (i32.const 0) (i32.const 1) (i32.const 68)))))"#;

/// WASIX writes to files on other threads, which the runner's end could overtake.
#[test]
fn what_a_guest_wrote_is_in_the_file_when_it_has_ended() {
    let bench = SUBJECT.in_mode(Mode::Jit).guest(WRITES_A_FILE);
    for _ in 0..50 {
        let output = bench.run(&["--dir", &format!("{}::/data", bench.root().display())]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(std::fs::read(bench.path("made")).expect("it is there"), b"made");
        std::fs::remove_file(bench.path("made")).expect("it can be removed");
    }
}
