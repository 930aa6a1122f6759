//! The one recipe by which C becomes a program, native or Wasm, and when it has to be followed again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::dist::{make_dir, read};
use crate::fingerprint::Digest;
use crate::shell;

/// The compiler, of the version whose code the figures are of.
pub(crate) const CLANG: &str = "clang-19";

/// Contraction into fused multiply-adds is off: it would change the last digits from one machine to the next, and
/// between native code and Wasm, which has no such instruction.
const FLAGS: &[&str] = &[
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O2",
    "-ffp-contract=off",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
];

/// What a source is made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A native program with the C library inside.
    Static,
    /// A native program which the dynamic linker completes.
    Dynamic,
    /// As that, with headers and code in one segment.
    Merged,
    /// A native program without a C library: it begins at `_start`.
    Freestanding,
    /// A WASI preview 1 command.
    Wasm,
}

impl Form {
    const fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Static => &["-static"],
            Self::Dynamic => &[],
            Self::Merged => &["-Wl,-z,noseparate-code"],
            Self::Freestanding => &["-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector"],
            Self::Wasm => &["--target=wasm32-wasi", "--sysroot=/usr"],
        }
    }
}

/// One program to be made.
pub(crate) struct Program {
    /// The C or assembly source.
    pub source: PathBuf,
    /// Libraries to link, such as `m`.
    pub libraries: Vec<String>,
    /// What to make of it.
    pub form: Form,
    /// Where to put it.
    pub output: PathBuf,
}

/// The compiler and the folder in which it notes what it has done.
pub(crate) struct Compiler {
    version: String,
    /// What native programs are made for, where it is not this host.
    target: Option<&'static str>,
    stamps: PathBuf,
}

impl Compiler {
    /// Finds the compiler; the notes go below the build directory `target`.
    pub(crate) fn find(target: &Path) -> Result<Self> {
        let version = shell::read(Command::new(CLANG).arg("--version"))
            .context("the workloads need clang-19; `cargo xtask setup` installs it")?;
        let stamps = target.join("xtask/stamps");
        make_dir(&stamps)?;
        Ok(Self {
            version,
            target: None,
            stamps,
        })
    }

    /// The same, with native programs for another machine than this host.
    pub(crate) fn for_target(self, target: &'static str) -> Self {
        Self {
            target: Some(target),
            ..self
        }
    }

    /// Makes the program unless it has been made already from the same source by the same recipe.
    pub(crate) fn make(&self, program: &Program) -> Result<()> {
        let stamp = self
            .stamps
            .join(Digest::of([program.output.as_os_str().as_encoded_bytes()]).to_string());
        let inputs = self.inputs(program)?;
        if program.output.is_file() && fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == inputs) {
            return Ok(());
        }
        shell::run(&mut self.command(program))?;
        fs::write(&stamp, inputs).with_context(|| format!("cannot write {}", stamp.display()))
    }

    /// The digest of all that decides what comes out.
    fn inputs(&self, program: &Program) -> Result<String> {
        let source = read(&program.source)?;
        let recipe = format!("{:?}", self.command(program));
        Ok(Digest::of([self.version.as_bytes(), recipe.as_bytes(), &source]).to_string())
    }

    fn command(&self, program: &Program) -> Command {
        let mut clang = Command::new(CLANG);
        clang.args(FLAGS).args(program.form.flags());
        if let Some(target) = self.target
            && program.form != Form::Wasm
        {
            clang.arg(format!("--target={target}"));
        }
        clang.arg(&program.source).arg("-o").arg(&program.output);
        clang.args(program.libraries.iter().map(|library| format!("-l{library}")));
        clang
    }
}
