//! The LLVM that Wasmer's LLVM compiler is built with: LLVM 22.1 with its static libraries, which few systems have.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::runners::{Means, Missing};
use crate::setup;
use crate::shell;

/// Says where LLVM is, to the crate that binds it.
const PREFIX: &str = "LLVM_SYS_221_PREFIX";

/// Where Debian has it.
const DEBIAN: &str = "/usr/lib/llvm-22";

/// What the binding crate was made for.
const VERSION: &str = "22.1.";

/// Libraries that the binding crate links with and `llvm-config` does not list: Debian has them in a package apart.
const APART: [&str; 2] = ["libPolly.a", "libPollyISL.a"];

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
    let folder = shell::read(Command::new(&program).arg("--libdir"))?;
    complete(Path::new(folder.trim()))
}

fn complete(folder: &Path) -> Result<()> {
    let mut files = APART.iter().map(|name| folder.join(name));
    match files.find(|file| !file.is_file()) {
        Some(lacking) => bail!("there is no `{}`", lacking.display()),
        None => Ok(()),
    }
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

    #[test]
    fn a_library_that_llvm_config_does_not_list_is_missed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(APART[0]), "").unwrap();
        let error = complete(folder.path()).unwrap_err().to_string();
        assert!(error.contains(APART[1]), "{error}");
        std::fs::write(folder.path().join(APART[1]), "").unwrap();
        complete(folder.path()).unwrap();
    }
}
