//! A directory with one guest in it, and the runner to try on it.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The built runner.
pub(crate) const RUNNER: &str = env!("CARGO_BIN_EXE_wbd-runner-wasmtime");

/// A directory that goes when the test ends.
pub(crate) struct Bench(TempDir);

impl Bench {
    /// With the guest of this text in it as `guest.wasm`.
    pub(crate) fn with_guest(text: &str) -> Self {
        Self::with_file(
            "guest.wasm",
            &wat::parse_str(text).expect("the guest is well formed"),
        )
    }

    /// With this file in it.
    pub(crate) fn with_file(name: &str, bytes: &[u8]) -> Self {
        let bench = Self(TempDir::new().expect("a temporary directory can be made"));
        std::fs::write(bench.path(name), bytes).expect("a file can be written");
        bench
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Compiles `guest.wasm` to `guest.cwasm`.
    pub(crate) fn compile(&self) -> Vec<u8> {
        let compiled = runner(["compile".as_ref(), self.path("guest.wasm").as_os_str()], b"");
        assert!(compiled.status.success(), "{compiled:?}");
        std::fs::write(self.path("guest.cwasm"), &compiled.stdout).expect("a file can be written");
        compiled.stdout
    }

    /// Runs `guest.wasm` compiled now, with these words after the module.
    pub(crate) fn jit(&self, words: &[&str]) -> Output {
        self.run("jit", "guest.wasm", words)
    }

    /// Runs `guest.cwasm`, with these words after the module.
    pub(crate) fn aot(&self, words: &[&str]) -> Output {
        self.run("aot", "guest.cwasm", words)
    }

    fn run(&self, mode: &str, module: &str, words: &[&str]) -> Output {
        let module = self.path(module);
        let head = [
            "run".as_ref(),
            "--mode".as_ref(),
            mode.as_ref(),
            module.as_os_str(),
        ];
        runner(head.into_iter().chain(words.iter().map(OsStr::new)), b"")
    }
}

/// Runs the runner with one variable in its environment and `input` on its standard input.
pub(crate) fn runner<'a>(words: impl IntoIterator<Item = &'a OsStr>, input: &[u8]) -> Output {
    let mut child = Command::new(RUNNER)
        .args(words)
        .env("OF_THE_HOST", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the runner can be started");
    // A guest that does not read may end first; what it printed tells.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    child.wait_with_output().expect("the runner ends")
}
