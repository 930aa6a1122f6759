//! The runner's contract with the daemon, tried on the built program.

use object::{Object as _, ObjectSection as _};
use wbd_runner_tests::{Mode, guests};

wbd_runner_tests::contract! {
    runner: env!("CARGO_BIN_EXE_wbd-runner-wasmtime"),
    version: "wasmtime 48.0.8",
    modes: [jit, aot],
}

/// The section in which Wasmtime writes who made the code: a byte, the length of the version, the version.
const MAKER: &str = ".wasmtime.engine";

#[test]
fn machine_code_of_another_version_is_refused() {
    let bench = SUBJECT.in_mode(Mode::Aot).guest(guests::EXITS_SEVEN);
    let path = bench.path(bench.module_name());
    let mut code = std::fs::read(&path).expect("the code can be read");
    let (start, _) = object::File::parse(&*code)
        .expect("an ELF file")
        .section_by_name(MAKER)
        .and_then(|section| section.file_range())
        .expect("the maker is named");
    let version = usize::try_from(start).expect("an offset") + 2;
    assert_eq!(&code[version..version + 2], b"48");
    code[version + 1] = b'7';
    bench.write(bench.module_name(), &code);
    let output = bench.run(&[]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{message}");
    assert!(message.contains("version"), "{message}");
}
