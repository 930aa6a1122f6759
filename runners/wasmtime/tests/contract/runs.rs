//! What a guest gets, and what becomes of its end.

use std::process::Output;
use std::time::{Duration, Instant};

use crate::bench::{Bench, runner};
use crate::guests;

/// WASI preview 1's `badf`: descriptor 3, the first preopened directory, is not open.
const ERRNO_BADF: i32 = 8;

fn status(output: &Output) -> i32 {
    output.status.code().expect("no signal ended the runner")
}

#[test]
fn the_version_is_one_line() {
    let version = runner(["version".as_ref()], b"");
    assert_eq!(version.stdout, b"wasmtime 48.0.8\n");
    assert_eq!(status(&version), 0);
}

#[test]
fn the_guests_exit_status_is_passed_on_in_both_modes() {
    for (guest, expected) in [(guests::EXITS_SEVEN, 7), (guests::RETURNS, 0)] {
        let bench = Bench::with_guest(guest);
        bench.compile();
        assert_eq!(status(&bench.jit(&[])), expected);
        assert_eq!(status(&bench.aot(&[])), expected);
    }
}

#[test]
fn the_guest_sees_its_file_name_and_the_words_after_the_dashes() {
    let bench = Bench::with_guest(guests::PRINTS_ARGUMENTS);
    bench.compile();
    let words = ["--", "one", "two words", "--mode"];
    assert_eq!(bench.jit(&words).stdout, b"guest.wasm\0one\0two words\0--mode\0");
    assert_eq!(bench.aot(&words).stdout, b"guest.cwasm\0one\0two words\0--mode\0");
}

#[test]
fn a_guest_can_be_given_the_same_name_in_both_modes() {
    let bench = Bench::with_guest(guests::PRINTS_ARGUMENTS);
    bench.compile();
    let words = ["--name", "fasta", "--", "1"];
    assert_eq!(bench.jit(&words).stdout, b"fasta\x001\0");
    assert_eq!(bench.aot(&words).stdout, b"fasta\x001\0");
}

#[test]
fn the_guests_environment_holds_what_was_named_and_nothing_of_the_hosts() {
    let bench = Bench::with_guest(guests::PRINTS_ENVIRONMENT);
    assert_eq!(bench.jit(&[]).stdout, b"");
    assert_eq!(
        bench.jit(&["--env", "A=1", "--env", "B=x=y"]).stdout,
        b"A=1\0B=x=y\0"
    );
}

#[test]
fn the_guest_reads_the_runners_standard_input() {
    let bench = Bench::with_guest(guests::ECHOES);
    let module = bench.path("guest.wasm");
    let words = ["run".as_ref(), "--mode=jit".as_ref(), module.as_os_str()];
    assert_eq!(runner(words, b"a line\n").stdout, b"a line\n");
}

#[test]
fn a_guest_given_no_directory_opens_no_file() {
    let bench = Bench::with_guest(guests::OPENS_A_FILE);
    std::fs::write(bench.path("secret"), "x").expect("a file can be written");
    assert_eq!(status(&bench.jit(&[])), ERRNO_BADF);
}

#[test]
fn a_guest_opens_a_file_in_the_directory_it_was_given() {
    let bench = Bench::with_guest(guests::OPENS_A_FILE);
    std::fs::write(bench.path("secret"), "x").expect("a file can be written");
    let given = format!("{}::/data", bench.root().display());
    assert_eq!(status(&bench.jit(&["--dir", &given])), 0);
}

#[test]
fn a_sleeping_guest_wakes() {
    let bench = Bench::with_guest(guests::SLEEPS);
    let begin = Instant::now();
    assert_eq!(status(&bench.jit(&[])), 0);
    assert!(begin.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_trap_is_told_from_an_exit() {
    for guest in [guests::TRAPS, guests::TRAPS_EARLY, guests::OVERFLOWS] {
        let bench = Bench::with_guest(guest);
        bench.compile();
        for output in [bench.jit(&[]), bench.aot(&[])] {
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(message.starts_with("wbd-runner: trap: "), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
            assert_eq!(status(&output), 134);
        }
    }
}
