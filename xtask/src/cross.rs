//! Building for arm64 on another machine: Debian's compilers, and its standard library for that architecture.
//!
//! rustup's toolchain may not come with the other architecture's standard library, and cannot always fetch it; Debian's
//! compiler has one in packages, which are unpacked beside the build and never installed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt::Apt;
use crate::dist::{make_dir, remove};
use crate::setup;
use crate::shell;
use crate::toolchain::DEBIAN_RUSTC;
use crate::tree::Tree;

/// Debian's name of the architecture.
pub(crate) const ARCHITECTURE: &str = "arm64";
/// Clang's name of it.
pub(crate) const CLANG_TARGET: &str = "aarch64-linux-gnu";
const TRIPLE: &str = "aarch64-unknown-linux-gnu";
const COMPILER: &str = "aarch64-linux-gnu-gcc";
/// Rust's standard library, of Debian's newest compiler.
const LIBRARY: &str = "libstd-rust-web-dev";

/// What cargo is told, so that it builds for the other architecture.
#[derive(Clone)]
pub(crate) struct Cross {
    environment: Vec<(&'static str, OsString)>,
}

impl Cross {
    /// A tree of the same sources that builds for arm64, into a folder of its own: another compiler's work is of no use.
    pub(crate) fn of(tree: &Tree) -> Result<Tree> {
        setup::provide(setup::CROSS)?;
        let target = tree.target.join(ARCHITECTURE);
        let sysroot = sysroot(&target.join("sysroot"))?;
        let environment = vec![
            ("CARGO_TARGET_DIR", target.clone().into_os_string()),
            ("CARGO_BUILD_TARGET", TRIPLE.into()),
            ("RUSTC", DEBIAN_RUSTC.into()),
            ("LD_LIBRARY_PATH", OsString::new()), // rustup's libraries are not Debian's
            ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", COMPILER.into()),
            (
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
                format!("--sysroot={}", sysroot.display()).into(),
            ),
            ("CC_aarch64_unknown_linux_gnu", COMPILER.into()),
        ];
        Ok(Tree {
            root: tree.root.clone(),
            target,
            cross: Some(Self { environment }),
        })
    }

    /// For every cargo that builds.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        self.environment.clone()
    }
}

/// The folder that the compiler takes for its own, of the same version as the compiler.
fn sysroot(place: &Path) -> Result<PathBuf> {
    let version = installed_version()?;
    let (root, stamp) = (place.join("root"), place.join("complete"));
    if fs::read_to_string(&stamp).is_ok_and(|complete| complete == version) {
        return Ok(root.join("usr"));
    }
    let apt = Apt::of_additions(&place.join("apt"), ARCHITECTURE)?;
    let dependency = apt.newest(LIBRARY, "libstd-rust-web-")?;
    remove(&root)?;
    make_dir(&root)?;
    for package in [LIBRARY, &dependency] {
        let archive = apt.download_alone(&format!("{package}={version}"))?;
        shell::run(Command::new("dpkg-deb").arg("--extract").args([&archive, &root]))?;
    }
    fs::write(&stamp, version).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(root.join("usr"))
}

fn installed_version() -> Result<String> {
    let mut query = Command::new("dpkg-query");
    shell::read(query.args(["--show", "--showformat=${Version}", "rustc-web"]))
}
