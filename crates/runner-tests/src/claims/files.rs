//! The directories a guest may use: those it was given, and nothing outside of them.

use std::os::unix::fs::symlink;
use std::process::Output;

use super::{assert_refused, status};
use crate::{Bench, Trial, guests};

/// WASI preview 1's `badf`: the last descriptor tried is not open.
const ERRNO_BADF: i32 = 8;

/// No preopened directory unless one is asked for.
pub fn a_guest_given_no_directory_opens_no_file(trial: &Trial) {
    let bench = trial.guest(&guests::opens("secret"));
    bench.write("secret", b"x");
    assert_eq!(status(&bench.run(&[])), ERRNO_BADF);
}

/// And with one its files are there.
pub fn a_guest_opens_a_file_in_the_directory_it_was_given(trial: &Trial) {
    let bench = trial.guest(&guests::opens("given"));
    lay_out(&bench);
    assert_eq!(status(&run_in_inner(&bench)), 0);
}

/// By no path, absolute or relative, and by no symbolic link.
pub fn a_guest_does_not_leave_the_directory_it_was_given(trial: &Trial) {
    for path in [
        "../secret",
        "below/../../secret",
        "/etc/passwd",
        "relative",
        "absolute",
        "up/secret",
    ] {
        let bench = trial.guest(&guests::opens(path));
        lay_out(&bench);
        let output = run_in_inner(&bench);
        let refused = (1..125).contains(&status(&output));
        assert!(refused, "`{path}`: {output:?}");
    }
}

/// A host directory that does not exist is the runner's to refuse, not the guest's to find out.
pub fn a_directory_that_is_not_there_is_refused(trial: &Trial) {
    let bench = trial.guest(guests::RETURNS);
    assert_refused(&bench.run(&["--dir", "/no/such/place"]), "/no/such/place");
}

/// `secret` lies beside `inner`, `given` in it, and links lead out of it.
fn lay_out(bench: &Bench) {
    std::fs::create_dir_all(bench.path("inner/below")).expect("directories can be made");
    bench.write("secret", b"x");
    bench.write("inner/given", b"x");
    let link = |target: &str, name: &str| symlink(target, bench.path(name)).expect("a link can be made");
    link("../secret", "inner/relative");
    link(&bench.path("secret").display().to_string(), "inner/absolute");
    link("..", "inner/up");
}

fn run_in_inner(bench: &Bench) -> Output {
    bench.run(&["--dir", &format!("{}::/data", bench.path("inner").display())])
}
