//! Machine code made beforehand.

use super::assert_refused;
use crate::{Trial, guests};

/// A file that is not there, and one that is no module.
pub fn what_cannot_be_compiled_is_refused(trial: &Trial) {
    let compile = |path: &str| trial.subject.run(["compile".as_ref(), path.as_ref()], b"");
    assert_refused(&compile("/no/such.wasm"), "/no/such.wasm");
    assert_refused(&compile(trial.subject.program), "not a WebAssembly module");
}

/// Neither a crash nor a run: whatever is left of the file.
pub fn machine_code_cut_short_anywhere_is_refused(trial: &Trial) {
    let bench = trial.guest(guests::EXITS_SEVEN);
    let whole = std::fs::read(bench.path(bench.module_name())).expect("the code can be read");
    let lengths = (0..whole.len()).step_by(whole.len() / 16);
    for length in lengths.chain([whole.len() - 1]) {
        bench.write(bench.module_name(), &whole[..length]);
        assert_refused(&bench.run(&[]), bench.module_name());
    }
}

/// A program, noise, and a module: nothing is compiled or interpreted in this mode.
pub fn what_is_no_machine_code_is_refused(trial: &Trial) {
    let program = std::fs::read(trial.subject.program).expect("the runner can be read");
    let module = guests::binary(guests::RETURNS);
    for bytes in [&program, &b"garbage"[..], &module] {
        let bench = trial.bytes(bytes);
        assert_refused(&bench.run(&[]), bench.module_name());
    }
}
