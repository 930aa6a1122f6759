//! A directory with one guest in it, and the runner to try on it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;

use crate::{Mode, Trial, guests};

/// A directory that goes when the test ends.
#[derive(Debug)]
pub struct Bench {
    trial: Trial,
    directory: TempDir,
}

impl Bench {
    /// With the guest of this text in it, compiled where the mode asks for that.
    pub(crate) fn with_guest(trial: Trial, text: &str) -> Self {
        let bench = Self::empty(trial);
        bench.write("guest.wasm", &guests::binary(text));
        if trial.mode == Mode::Aot {
            bench.compile();
        }
        bench
    }

    /// With these bytes in the place of what the mode runs.
    pub(crate) fn with_bytes(trial: Trial, bytes: &[u8]) -> Self {
        let bench = Self::empty(trial);
        bench.write(bench.module_name(), bytes);
        bench
    }

    fn empty(trial: Trial) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        Self { trial, directory }
    }

    fn compile(&self) {
        let module = self.path("guest.wasm");
        let words = ["compile".as_ref(), module.as_os_str()];
        let compiled = self.trial.subject.run(words, b"");
        assert!(compiled.status.success(), "{compiled:?}");
        self.write(self.module_name(), &compiled.stdout);
    }

    /// The file name of what the mode runs.
    #[must_use]
    pub fn module_name(&self) -> &'static str {
        match self.trial.mode {
            Mode::Aot => "guest.cwasm",
            Mode::Jit | Mode::Interp => "guest.wasm",
        }
    }

    /// Makes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file can be written");
    }

    /// The path of a file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// What makes the runner run the guest.
    #[must_use]
    pub fn command_line(&self) -> Vec<String> {
        let module = self.path(self.module_name()).display().to_string();
        let mode = self.trial.mode.as_str();
        vec!["run".to_owned(), format!("--mode={mode}"), module]
    }

    /// Runs the guest, with these words after the module.
    #[must_use]
    pub fn run(&self, words: &[&str]) -> Output {
        self.run_with_input(words, b"")
    }

    /// Runs the guest with `input` on its standard input.
    #[must_use]
    pub fn run_with_input(&self, words: &[&str], input: &[u8]) -> Output {
        let head = self.command_line();
        let words = head.iter().map(String::as_str).chain(words.iter().copied());
        self.trial.subject.run(words.map(OsStr::new), input)
    }
}
