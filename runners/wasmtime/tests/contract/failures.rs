//! What cannot be run is refused with status 125 and one line that names it.

use std::process::Output;

use crate::bench::{Bench, runner};
use crate::guests;

fn assert_refused(output: &Output, named: &str) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{message}");
    assert!(message.starts_with("wbd-runner: "), "{message}");
    assert!(message.contains(named), "{named} is missing: {message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_file_that_is_not_there() {
    let bench = Bench::with_file("other", b"");
    assert_refused(&bench.jit(&[]), "guest.wasm");
    assert_refused(&bench.aot(&[]), "guest.cwasm");
    assert_refused(
        &runner(["compile".as_ref(), "/no/such.wasm".as_ref()], b""),
        "/no/such.wasm",
    );
}

#[test]
fn a_file_that_is_no_module() {
    for bytes in [&b""[..], b"\0asm", b"(module)", &[0x7f; 4096]] {
        let bench = Bench::with_file("guest.wasm", bytes);
        assert_refused(&bench.jit(&[]), "not a WebAssembly module");
    }
}

#[test]
fn a_module_with_a_damaged_body() {
    let mut bytes = wat::parse_str(guests::EXITS_SEVEN).expect("the guest is well formed");
    bytes.truncate(bytes.len() - 3);
    assert_refused(&Bench::with_file("guest.wasm", &bytes).jit(&[]), "cannot compile");
}

#[test]
fn a_component() {
    assert_refused(&Bench::with_guest(guests::COMPONENT).jit(&[]), "component");
}

#[test]
fn a_module_with_an_unknown_import() {
    let bench = Bench::with_guest(guests::WANTS_MORE);
    bench.compile();
    assert_refused(&bench.jit(&[]), "no_such_thing");
    assert_refused(&bench.aot(&[]), "no_such_thing");
}

#[test]
fn a_module_without_a_start_function() {
    assert_refused(&Bench::with_guest(guests::LIBRARY).jit(&[]), "_start");
}

#[test]
fn machine_code_cut_short_anywhere() {
    let bench = Bench::with_guest(guests::EXITS_SEVEN);
    let whole = bench.compile();
    let lengths = (0..whole.len())
        .step_by(whole.len() / 16)
        .chain([whole.len() - 1]);
    for length in lengths {
        std::fs::write(bench.path("guest.cwasm"), &whole[..length]).expect("a file can be written");
        assert_refused(&bench.aot(&[]), "guest.cwasm");
    }
}

#[test]
fn machine_code_of_another_program() {
    let foreign = std::fs::read(crate::bench::RUNNER).expect("the runner can be read");
    for bytes in [&foreign[..], b"garbage"] {
        assert_refused(&Bench::with_file("guest.cwasm", bytes).aot(&[]), "guest.cwasm");
    }
}

#[test]
fn a_directory_that_is_not_there() {
    let bench = Bench::with_guest(guests::RETURNS);
    assert_refused(&bench.jit(&["--dir", "/no/such/place"]), "/no/such/place");
}

#[test]
fn a_command_line_without_a_mode() {
    assert_refused(&runner(["run".as_ref(), "guest.wasm".as_ref()], b""), "--mode");
}
