//! A Rust that can compile for BPF: one with unstable features allowed and the standard library's source at hand.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::shell;

/// The compiler of Debian's package.
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A compiler with its cargo.
pub(crate) enum Toolchain {
    /// Debian's packages: a stable compiler, told to allow unstable features.
    Debian,
    /// rustup's nightly.
    Nightly,
}

impl Toolchain {
    /// Debian's, which stays the same for years, if it is there; otherwise rustup's nightly.
    pub(crate) fn find() -> Result<Self> {
        let usable = |toolchain: &Self| toolchain.library_source().is_some_and(|source| source.is_dir());
        let found = [Self::Debian, Self::Nightly].into_iter().find(usable);
        let Some(toolchain) = found else {
            bail!(
                "no Rust with the source of its standard library was found. Install one of these:\n  \
                 rustup toolchain install nightly --component rust-src\n  \
                 apt-get install rustc-web cargo-web rust-web-src"
            );
        };
        Ok(toolchain)
    }

    /// Its cargo.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = self.program("cargo");
        if matches!(self, Self::Debian) {
            cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
        }
        cargo
    }

    /// The version of its compiler, in one line.
    pub(crate) fn version(&self) -> Result<String> {
        Ok(shell::read(self.program("rustc").arg("--version"))?
            .trim()
            .to_owned())
    }

    /// Where the compiler sees the source of the standard library.
    pub(crate) fn library_source(&self) -> Option<PathBuf> {
        if matches!(self, Self::Debian) && !Path::new(DEBIAN_RUSTC).is_file() {
            return None;
        }
        let sysroot = shell::read(self.program("rustc").args(["--print", "sysroot"])).ok()?;
        Some(Path::new(sysroot.trim()).join("lib/rustlib/src/rust"))
    }

    /// The libraries of the toolchain which runs this task must not get into the way of another one's.
    fn program(&self, name: &str) -> Command {
        let mut command = match self {
            Self::Debian => Command::new(Path::new("/usr/bin").join(name)),
            Self::Nightly => Command::new("rustup"),
        };
        if matches!(self, Self::Nightly) {
            command.args(["run", "nightly", name]);
        }
        command
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("RUSTUP_TOOLCHAIN");
        command
    }
}
