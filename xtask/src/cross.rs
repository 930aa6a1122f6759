//! Programs for arm64, made on this host: by Debian's Rust and GCC's linker, with Debian's libraries for arm64.
//!
//! rustup's toolchain would do as well where it can fetch a target; Debian's serves the kernel objects already, and its
//! standard library comes from the same mirror as the machines' kernels.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt::{Apt, unpack};
use crate::compiler::Compiler;
use crate::dist::{Dist, make_dir, remove};
use crate::platform::Platform;
use crate::setup::{self, Package};
use crate::shell;
use crate::toolchain::DEBIAN_RUSTC;
use crate::tree::Tree;

/// Debian's name of the architecture.
pub(crate) const ARM64: &str = "arm64";
/// Its name to Rust.
const TRIPLE: &str = "aarch64-unknown-linux-gnu";
/// Its name to C compilers.
const C_TARGET: &str = "aarch64-linux-gnu";
const GCC: &str = "aarch64-linux-gnu-gcc";

/// Debian's Rust, and its standard library, which is fetched for arm64 too.
const RUST: &str = "rustc-web";
const STANDARD_LIBRARY: &str = "libstd-rust-web-dev";
/// Where Debian's stable release gets its newer Rust.
const SUITE: &str = "bookworm-security";

const TOOLS: &[Package] = &[
    (RUST, "compiles Rust for arm64"),
    ("gcc-aarch64-linux-gnu", "links programs for arm64"),
    ("libc6-dev-arm64-cross", "the C library for arm64"),
];

/// Engines whose runners are made of Rust alone, and so are made for any machine.
pub(crate) const ENGINES: [&str; 2] = ["wasmtime", "wasmi"];

/// The means to make programs for arm64; installs what is missing.
pub(crate) fn arm64(tree: &Tree) -> Result<Platform> {
    setup::provide(TOOLS)?;
    let place = tree.target.join(ARM64);
    let sysroot = sysroot(&place)?;
    Ok(Platform {
        dist: Dist::below(&place),
        environment: environment(&place, &sysroot),
        test_command: &["test", "--release"],
        compiler: Compiler::find(&tree.target)?.for_target(C_TARGET),
    })
}

/// Build scripts and macros are compiled by the same compiler, with the library it has for this host. The libraries of
/// the toolchain that runs this task must not get into its way.
fn environment(place: &Path, sysroot: &Path) -> Vec<(&'static str, OsString)> {
    let mut flags = OsString::from("--sysroot=");
    flags.push(sysroot);
    vec![
        ("LD_LIBRARY_PATH", OsString::new()),
        ("RUSTC", DEBIAN_RUSTC.into()),
        ("CARGO_TARGET_DIR", place.join("target").into_os_string()),
        ("CARGO_BUILD_TARGET", TRIPLE.into()),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", GCC.into()),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS", flags),
        ("CC_aarch64_unknown_linux_gnu", GCC.into()),
    ]
}

/// Rust's standard library for arm64, of exactly the version of the compiler; fetched once.
fn sysroot(place: &Path) -> Result<PathBuf> {
    let (root, stamp) = (place.join("rust"), place.join("rust.version"));
    let sysroot = root.join("usr");
    let version = shell::read(Command::new("dpkg-query").args(["--show", "--showformat=${Version}", RUST]))?;
    if fs::read_to_string(&stamp).is_ok_and(|fetched| fetched == version) {
        return Ok(sysroot);
    }
    remove(&root)?;
    make_dir(&root)?;
    let apt = Apt::of(&place.join("apt"), SUITE, Some(ARM64))?;
    let archive = apt.download_alone(&format!("{STANDARD_LIBRARY}={version}"))?;
    unpack(&archive, &root)?;
    fs::write(&stamp, version).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(sysroot)
}
