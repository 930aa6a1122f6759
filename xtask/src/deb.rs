//! `cargo xtask deb`: a Debian package of what was built, with units for systemd.
//!
//! It holds the programs, the runners and the workloads as `cargo xtask build` made them, and nothing that tests the tool.
//! It is put together in a folder of the build directory and packed by `dpkg-deb`; which libraries it needs is asked of
//! `dpkg-shlibdeps`, so a package is for the Debian it was built on.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::build::{self, Options};
use crate::dist::{Dist, install, list, make_dir, read, remove};
use crate::progress;
use crate::setup::{self, Package};
use crate::shell;
use crate::tree::Tree;

/// What packing takes beside building.
const TOOLS: &[Package] = &[
    ("dpkg-dev", "tells which libraries a package needs"),
    (
        "patchelf",
        "tells WasmEdge's runner where its loader is once installed",
    ),
];

/// Files of `daemon/packaging`, and where they go.
const FILES: [(&str, &str); 4] = [
    ("wbd.service", "usr/lib/systemd/system"),
    ("wbd.socket", "usr/lib/systemd/system"),
    ("wbd.sysusers", "usr/lib/sysusers.d"),
    ("wbd.toml", "etc/wbd"),
];
/// What the packager's tools run or read, in `daemon/packaging/debian`.
const CONTROL: [(&str, u32); 4] = [
    ("conffiles", 0o644),
    ("postinst", 0o755),
    ("prerm", 0o755),
    ("postrm", 0o755),
];
/// Documents that an administrator should have at hand.
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/METRICS.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// Where the loader of WasmEdge's runner will be.
const WASMEDGE_LOADER: &str = "/usr/lib/wbd/wasmedge/lib/ld-linux-x86-64.so.2";

/// Builds what is not up to date, and packs it.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<()> {
    let dist = build::run(tree, options)?.platform.dist;
    pack(tree, &dist).map(drop)
}

/// Packs what was built; the package's file.
pub(crate) fn pack(tree: &Tree, dist: &Dist) -> Result<PathBuf> {
    setup::provide(TOOLS)?;
    let staging = tree.target.join("deb/wbd");
    remove(&staging)?;
    lay_out(tree, dist, &staging)?;
    settle(&staging)?;
    control(tree, &staging)?;
    let package = tree
        .target
        .join("deb")
        .join(format!("wbd_{VERSION}_{}.deb", architecture()?));
    let mut pack = Command::new("dpkg-deb");
    pack.args(["--root-owner-group", "-Zxz", "-z1", "--build"])
        .args([&staging, &package]);
    shell::run(&mut pack)?;
    progress::line(format!("packed into {}", package.display()));
    Ok(package)
}

/// Of the whole workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Puts what was built where the package puts it, below a root.
pub(crate) fn lay_out(tree: &Tree, dist: &Dist, staging: &Path) -> Result<()> {
    for program in list(&dist.bin())? {
        install(&program, &staging.join("usr/bin"))?;
    }
    copy_tree(&dist.runners(), &staging.join("usr/lib/wbd"))?;
    copy_tree(&dist.workloads(), &staging.join("usr/share/wbd/workloads"))?;
    move_wasmedge(&staging.join("usr/lib/wbd/wbd-runner-wasmedge"))?;
    for (file, folder) in FILES {
        install(&packaging(tree).join(file), &staging.join(folder))?;
    }
    let sysusers = staging.join("usr/lib/sysusers.d");
    fs::rename(sysusers.join("wbd.sysusers"), sysusers.join("wbd.conf"))?;
    let documents = staging.join("usr/share/doc/wbd");
    for document in DOCUMENTS {
        install(&tree.root.join(document), &documents)?;
    }
    install(&packaging(tree).join("debian/copyright"), &documents)
}

fn packaging(tree: &Tree) -> PathBuf {
    tree.root.join("daemon/packaging")
}

/// Copies a folder with all that is in it; links stay links.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    make_dir(to)?;
    shell::run(Command::new("cp").args(["-rPT", "--"]).args([from, to]))
}

/// The kernel finds a loader by its whole path alone.
fn move_wasmedge(runner: &Path) -> Result<()> {
    if !runner.exists() {
        return Ok(());
    }
    let mut patch = Command::new("patchelf");
    patch
        .args(["--set-interpreter", WASMEDGE_LOADER])
        .args(["--force-rpath", "--set-rpath", "$ORIGIN/wasmedge/lib"])
        .arg(runner);
    shell::run(&mut patch)
}

/// Gives everything the modes of installed files, whatever the umask it was built under.
fn settle(path: &Path) -> Result<()> {
    let found = path
        .symlink_metadata()
        .with_context(|| format!("cannot look at {}", path.display()))?;
    if found.is_symlink() {
        return Ok(());
    }
    let executable = found.is_dir() || found.permissions().mode() & 0o100 != 0;
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", path.display()))?;
    if found.is_dir() {
        list(path)?.iter().try_for_each(|entry| settle(entry))?;
    }
    Ok(())
}

fn control(tree: &Tree, staging: &Path) -> Result<()> {
    let folder = staging.join("DEBIAN");
    for (file, mode) in CONTROL {
        install(&packaging(tree).join("debian").join(file), &folder)?;
        fs::set_permissions(folder.join(file), Permissions::from_mode(mode))?;
    }
    let template = String::from_utf8(read(&packaging(tree).join("debian/control"))?)?;
    let text = template
        .replace("@VERSION@", VERSION)
        .replace("@ARCHITECTURE@", &architecture()?)
        .replace("@SIZE@", &kibibytes(staging)?.to_string())
        .replace("@LIBRARIES@", &libraries(tree, staging)?);
    fs::write(folder.join("control"), text).context("cannot write the package's control file")
}

fn architecture() -> Result<String> {
    let printed = shell::read(Command::new("dpkg").arg("--print-architecture"))?;
    Ok(printed.trim().to_owned())
}

/// What it takes once installed.
fn kibibytes(staging: &Path) -> Result<u64> {
    let printed = shell::read(Command::new("du").args(["-sk", "--"]).arg(staging))?;
    let number = printed.split_whitespace().next().unwrap_or_default();
    number.parse().with_context(|| format!("du printed `{printed}`"))
}

/// The packages of the shared libraries that the programs are linked with. WasmEdge's runner brings its own.
fn libraries(tree: &Tree, staging: &Path) -> Result<String> {
    let scratch = tree.target.join("deb/shlibdeps");
    make_dir(&scratch.join("debian"))?;
    fs::write(
        scratch.join("debian/control"),
        "Source: wbd\n\nPackage: wbd\nArchitecture: any\n",
    )?;
    let mut programs = list(&staging.join("usr/bin"))?;
    programs.extend(list(&staging.join("usr/lib/wbd"))?);
    programs.retain(|program| is_elf(program) && !program.ends_with("wbd-runner-wasmedge"));
    let mut ask = Command::new("dpkg-shlibdeps");
    ask.current_dir(&scratch)
        .args(["-O", "--ignore-missing-info"])
        .args(&programs);
    let printed = shell::read(&mut ask)?;
    let found = printed
        .lines()
        .find_map(|line| line.strip_prefix("shlibs:Depends="));
    found
        .map(str::to_owned)
        .with_context(|| format!("dpkg-shlibdeps named no libraries: {printed}"))
}

fn is_elf(file: &Path) -> bool {
    file.is_file() && fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF"))
}
