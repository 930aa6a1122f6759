//! The LLVM that Wasmer's LLVM compiler is built with: LLVM 22.1 with its static libraries, which few systems have.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::runners::{Means, Missing};
use crate::setup;
use crate::shell;

/// Says where LLVM is, to the crate that binds it.
const PREFIX: &str = "LLVM_SYS_221_PREFIX";

/// Where Debian has it.
const DEBIAN: &str = "/usr/lib/llvm-22";

/// A library that the binding crate asks for and `llvm-config` does not list: Debian packs it by itself.
const POLLY: &str = "lib/libPolly.a";

/// What the binding crate was made for.
const VERSION: &str = "22.1.";

/// The environment to build and test the runner in.
pub(crate) fn provide() -> Result<Means, Missing> {
    let prefix = std::env::var_os(PREFIX).map_or_else(|| PathBuf::from(DEBIAN), PathBuf::from);
    check(&prefix).map_err(missing)?;
    Ok(Means {
        environment: vec![(PREFIX, prefix.into())],
    })
}

fn missing(error: anyhow::Error) -> Missing {
    let command = setup::install_command(setup::LLVM);
    Missing {
        why: format!("Wasmer's LLVM compiler is built with LLVM 22.1 and its static libraries: {error:#}"),
        mend: format!(
            "name the folder of one in {PREFIX}, or, on Debian: {command}; then: cargo xtask build"
        ),
    }
}

fn check(prefix: &Path) -> Result<()> {
    let program = prefix.join("bin/llvm-config");
    ensure!(program.is_file(), "there is no `{}`", program.display());
    let version = shell::read(Command::new(&program).arg("--version"))?;
    ensure!(
        version.starts_with(VERSION),
        "`{}` is of version {}",
        prefix.display(),
        version.trim()
    );
    // Fails where one of them is not installed.
    shell::read(Command::new(&program).args(["--link-static", "--libfiles"]))?;
    let polly = prefix.join(POLLY);
    ensure!(polly.is_file(), "there is no `{}`", polly.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_llvm_is_refused() {
        let empty = tempfile::tempdir().unwrap();
        let error = check(empty.path()).unwrap_err();
        assert!(error.to_string().contains("bin/llvm-config"), "{error}");
    }
}
