//! The runner's contract with the daemon, tried on the built program.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use wbd_runner_tests::{Bench, Mode, guests};

wbd_runner_tests::contract! {
    runner: env!("CARGO_BIN_EXE_wbd-runner-wasmedge"),
    version: "wasmedge 0.17.1",
    modes: [interp, jit, aot],
    exceptions: {
        an_exhausted_stack_is_a_trap: "WasmEdge 0.17 sets no limit: machine code dies of SIGSEGV, the interpreter takes memory until there is none and aborts",
    },
}

/// Keeps a processor busy with what no compiler can foresee the end of: 10,000,000 steps of a generator of random
/// numbers.
const COMPUTES: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (local $number i32) (local $left i32)
        (local.set $left (i32.const 10000000))
        (loop $again
            (local.set $number (i32.add (i32.mul (local.get $number) (i32.const 1664525)) (i32.const 1013904223)))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br_if $again (local.get $left)))
        (call $exit (i32.and (local.get $number) (i32.const 63)))))"#;

#[test]
fn machine_code_of_another_version_is_refused() {
    let bench = SUBJECT.in_mode(Mode::Aot).guest(guests::EXITS_SEVEN);
    let mut code = fs::read(bench.path(bench.module_name())).expect("the code can be read");
    let version = offset_of_version(&code);
    code[version] += 1;
    bench.write(bench.module_name(), &code);
    let output = bench.run(&[]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{message}");
    assert!(message.contains("version"), "{message}");
}

/// Where in the file the number stands that says which WasmEdge made it.
fn offset_of_version(code: &[u8]) -> usize {
    let file = object::File::parse(code).expect("an ELF file");
    let address = file
        .dynamic_symbols()
        .find(|symbol| symbol.name() == Ok("version"))
        .expect("the version is a symbol")
        .address();
    let holds = |(start, length): (u64, u64)| (start..start + length).contains(&address);
    let section = file
        .sections()
        .find(|section| holds((section.address(), section.size())))
        .expect("the symbol is in a section");
    let (start, _) = section.file_range().expect("the section is in the file");
    usize::try_from(start + address - section.address()).expect("an offset")
}

/// By what it takes: interpretation is many times slower than machine code.
#[test]
fn the_mode_asked_for_is_the_mode_that_runs() {
    let [interp, jit, aot] = SUBJECT.modes else {
        panic!("the runner has three modes");
    };
    let [interp, jit, aot] = [interp, jit, aot].map(|mode| time(&SUBJECT.in_mode(*mode).guest(COMPUTES)));
    assert!(
        interp > 4 * jit,
        "interpreted in {interp:?}, compiled and run in {jit:?}"
    );
    assert!(interp > 4 * aot, "interpreted in {interp:?}, run in {aot:?}");
}

/// The shortest of three runs: whatever else goes on only ever makes a run longer.
fn time(bench: &Bench) -> Duration {
    let runs = (0..3).map(|_| {
        let begin = Instant::now();
        let status = bench.run(&[]).status.code();
        assert!(status.is_some_and(|status| status < 64), "{status:?}");
        begin.elapsed()
    });
    runs.min().expect("there are three")
}

/// By what is executable: the code file in one mode, memory without a file in the other, neither in the third.
#[test]
fn only_what_the_mode_asks_for_is_executable() {
    for (mode, file, memory) in [
        (Mode::Interp, false, false),
        (Mode::Jit, false, true),
        (Mode::Aot, true, false),
    ] {
        let bench = SUBJECT.in_mode(mode).guest(guests::SLEEPS);
        let mapped = executable_while_asleep(&bench);
        let is_mapped = |what: &dyn Fn(&str) -> bool| mapped.iter().any(|path| what(path));
        assert_eq!(
            is_mapped(&|path| path.ends_with("guest.cwasm")),
            file,
            "{mode:?}: {mapped:?}"
        );
        assert_eq!(is_mapped(&str::is_empty), memory, "{mode:?}: {mapped:?}");
    }
}

/// What lies behind the executable mappings of a run whose guest sleeps; empty: nothing but memory.
fn executable_while_asleep(bench: &Bench) -> Vec<String> {
    let mut run = Command::new(SUBJECT.program)
        .args(bench.command_line())
        .stdin(Stdio::null())
        .spawn()
        .expect("the runner can be started");
    let mut last = Vec::new();
    while run.try_wait().expect("the run can be waited for").is_none() {
        let maps = fs::read_to_string(format!("/proc/{}/maps", run.id())).unwrap_or_default();
        let executable: Vec<String> = maps.lines().filter_map(executable).collect();
        if !executable.is_empty() {
            last = executable; // a run that has just ended maps nothing
        }
        thread::sleep(Duration::from_millis(1));
    }
    last
}

/// The path at the end of a line of `/proc/PID/maps`, if what it names can be executed.
fn executable(line: &str) -> Option<String> {
    let mut fields = line.split_whitespace();
    let rights = fields.nth(1)?;
    let path = fields.nth(3).unwrap_or_default();
    rights.contains('x').then(|| path.to_owned())
}
