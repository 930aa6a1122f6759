//! What cannot be run is refused with status 125 and one line that names it.

use super::assert_refused;
use crate::{Trial, guests};

/// The line names the file.
pub fn a_file_that_is_not_there_is_refused(trial: &Trial) {
    let bench = trial.guest(guests::RETURNS);
    std::fs::remove_file(bench.path(bench.module_name())).expect("a file can be removed");
    assert_refused(&bench.run(&[]), bench.module_name());
}

/// The line names the import.
pub fn a_module_with_an_unknown_import_is_refused(trial: &Trial) {
    assert_refused(&trial.guest(guests::WANTS_MORE).run(&[]), "no_such_thing");
    assert_refused(&trial.guest(guests::WANTS_MORE_OF_WASI).run(&[]), "no_such_call");
}

/// The line names the WASI that it wants.
pub fn a_module_for_an_older_wasi_is_refused(trial: &Trial) {
    assert_refused(&trial.guest(guests::OF_ANOTHER_WASI).run(&[]), "wasi_unstable");
}

/// The line says what is missing.
pub fn a_module_without_a_start_function_is_refused(trial: &Trial) {
    assert_refused(&trial.guest(guests::LIBRARY).run(&[]), "_start");
}

/// Empty, cut short, a module's text, noise.
pub fn a_file_that_is_no_module_is_refused(trial: &Trial) {
    for bytes in [&b""[..], b"\0asm", b"(module)", &[0x7f; 4096]] {
        assert_refused(&trial.bytes(bytes).run(&[]), "not a WebAssembly module");
    }
}

/// Cut short within the code, and code that is not valid.
pub fn a_module_with_a_damaged_body_is_refused(trial: &Trial) {
    let mut bytes = guests::binary(guests::EXITS_SEVEN);
    bytes.truncate(bytes.len() - 3);
    assert_refused(&trial.bytes(&bytes).run(&[]), "cannot compile");
    let invalid = guests::binary(guests::INVALID);
    assert_refused(&trial.bytes(&invalid).run(&[]), "cannot compile");
}

/// The line says so.
pub fn a_component_is_refused(trial: &Trial) {
    assert_refused(
        &trial.bytes(&guests::binary(guests::COMPONENT)).run(&[]),
        "component",
    );
}
