//! The program itself, whatever it runs.

use super::{assert_refused, status};
use crate::{Mode, Subject};

/// Engine and version.
pub fn the_version_is_one_line(subject: &Subject) {
    let version = subject.run(["version".as_ref()], b"");
    let expected = format!("{}\n", subject.version);
    assert_eq!(String::from_utf8_lossy(&version.stdout), expected);
    assert_eq!(status(&version), 0);
}

/// There is no default mode.
pub fn a_command_line_without_a_mode_is_refused(subject: &Subject) {
    assert_refused(
        &subject.run(["run".as_ref(), "guest.wasm".as_ref()], b""),
        "--mode",
    );
}

/// Each mode it lacks; and `compile`, where there is no machine code to be made beforehand.
pub fn what_it_has_no_mode_for_is_refused(subject: &Subject) {
    let lacks = |mode: &Mode| !subject.modes.contains(mode);
    for mode in [Mode::Jit, Mode::Aot, Mode::Interp].into_iter().filter(lacks) {
        let words = ["run", "--mode", mode.as_str(), "guest.wasm"].map(AsRef::as_ref);
        assert_refused(&subject.run(words, b""), "modes");
    }
    if lacks(&Mode::Aot) {
        assert_refused(
            &subject.run(["compile", "guest.wasm"].map(AsRef::as_ref), b""),
            "compile",
        );
    }
}
