//! Finds `bpf-linker`, or builds it against the LLVM which rustup's toolchain carries.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::dist::{list, make_dir, remove};
use crate::progress;
use crate::shell;
use crate::tree::Tree;

const VERSION: &str = "^0.13";
/// The LLVM to link, as bpf-linker's feature and as the start of the library's version.
const LLVM: (&str, &str) = ("llvm-22", "libLLVM.so.22");

/// The linker in PATH, or the one built earlier, or one built now.
pub(crate) fn find_or_install(tree: &Tree) -> Result<PathBuf> {
    let tools = tree.target.join("tools");
    let own = tools.join("bin/bpf-linker");
    if let Some(found) = shell::find_program("bpf-linker").or_else(|| own.is_file().then(|| own.clone())) {
        return Ok(found);
    }
    progress::line(
        "bpf-linker is in neither PATH nor the build directory: building it, which takes some minutes",
    );
    install(&tools)?;
    Ok(own)
}

/// What the linker says it is.
pub(crate) fn version(linker: &Path) -> Result<String> {
    Ok(shell::read(Command::new(linker).arg("--version"))?
        .trim()
        .to_owned())
}

fn install(tools: &Path) -> Result<()> {
    let libraries = sysroot()?.join("lib");
    let prefix = tools.join("llvm");
    link_llvm(&libraries, &prefix.join("lib"))?;
    let flags = format!(
        "-L native={}/lib -C link-arg=-Wl,-rpath,{}",
        prefix.display(),
        libraries.display()
    );
    let mut cargo = cargo::command();
    cargo.args([
        "install",
        "bpf-linker",
        "--version",
        VERSION,
        "--no-default-features",
        "--features",
        LLVM.0,
    ]);
    cargo
        .arg("--root")
        .arg(tools)
        .env("LLVM_PREFIX", &prefix)
        .env("RUSTFLAGS", flags);
    shell::run(cargo.env("CARGO_TARGET_DIR", tools.join("build"))).context(
        "bpf-linker could not be built; install it by hand (https://github.com/aya-rs/bpf-linker) and put it into PATH",
    )
}

fn sysroot() -> Result<PathBuf> {
    let text = shell::read(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(text.trim()))
}

/// The toolchain ships LLVM under a versioned name alone, and a linker looks for the plain one.
fn link_llvm(libraries: &Path, into: &Path) -> Result<()> {
    let files = list(libraries)?;
    let is_llvm = |path: &&PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(LLVM.1))
    };
    let Some(library) = files.iter().find(is_llvm) else {
        bail!(
            "{} holds no {}*: install bpf-linker by hand and put it into PATH",
            libraries.display(),
            LLVM.1
        );
    };
    make_dir(into)?;
    let link = into.join("libLLVM.so");
    if fs::read_link(&link).is_ok_and(|target| target == *library) {
        return Ok(());
    }
    remove(&link)?;
    symlink(library, &link)
        .with_context(|| format!("cannot link {} to {}", link.display(), library.display()))
}
