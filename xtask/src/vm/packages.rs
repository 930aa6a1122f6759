//! What a guest is made of that is not ours: a kernel, and the few programs tests call, from Debian.
//!
//! Each is fetched once and kept in the build directory; removing `vm` there fetches anew.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::machine::Machine;
use crate::apt::{Apt, unpack};
use crate::dist::{list, make_dir, remove};

/// The suite the programs are from: not older than the host's, whose programs must find their C library here.
const SUITE: &str = "trixie";
/// What tests call, and what our programs are linked with; what these depend on comes along.
const PROGRAMS: [&str; 11] = [
    "base-files",
    "bsdutils",
    "coreutils",
    "dash",
    "grep",
    "libc6",
    "libgcc-s1",
    "mount",
    "sed",
    "util-linux",
    "util-linux-extra",
];
/// What a machine with a service manager has beside them.
const MANAGER: [&str; 2] = ["systemd", "libpam-modules"];
/// Folders that a usual system has, and links to those that were merged into them.
const FOLDERS: [&str; 10] = [
    "dev",
    "proc",
    "sys",
    "run",
    "tmp",
    "root",
    "usr/bin",
    "usr/sbin",
    "usr/lib",
    "usr/lib64",
];
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];
/// Nobody reads them in a guest.
const UNREAD: [&str; 5] = ["doc", "man", "locale", "i18n", "info"];

/// The kernel of a machine: the file to boot.
pub(crate) fn kernel(machine: &Machine, cache: &Path) -> Result<PathBuf> {
    let place = cache.join(machine.name);
    let root = place.join("kernel");
    if let Some(found) = image_in(&root.join("boot")) {
        return Ok(found);
    }
    let apt = Apt::of(
        &place.join("apt"),
        machine.suite,
        Some(machine.computer.architecture),
    )?;
    let package = apt.newest(machine.kernel, "linux-image-")?;
    let archive = apt.download_alone(&package)?;
    unpack(&archive, &root)?;
    image_in(&root.join("boot")).with_context(|| format!("{package} holds no kernel"))
}

fn image_in(boot: &Path) -> Option<PathBuf> {
    let files = list(boot).ok()?;
    let is_image = |file: &PathBuf| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-"))
    };
    files.into_iter().find(is_image)
}

/// The root of Debian's programs for a machine.
pub(crate) fn root(machine: &Machine, cache: &Path) -> Result<PathBuf> {
    let architecture = machine.computer.architecture;
    let (kind, more) = if machine.manager {
        ("managed", &MANAGER[..])
    } else {
        ("root", &[][..])
    };
    let place = cache.join(format!("{kind}-{architecture}"));
    let (root, stamp) = (place.join("root"), place.join("complete"));
    if stamp.is_file() {
        return Ok(root);
    }
    let apt = Apt::of(&place.join("apt"), SUITE, Some(architecture))?;
    let programs = PROGRAMS.iter().chain(more).map(|&name| name.to_owned());
    let archives = apt.download(&programs.collect::<Vec<_>>())?;
    ensure!(!archives.is_empty(), "apt downloaded nothing for {architecture}");
    remove(&root)?;
    lay_out(&root)?;
    for archive in &archives {
        unpack(archive, &root)?;
    }
    for unread in UNREAD {
        remove(&root.join("usr/share").join(unread))?;
    }
    fs::write(&stamp, SUITE).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(root)
}

fn lay_out(root: &Path) -> Result<()> {
    for folder in FOLDERS {
        make_dir(&root.join(folder))?;
    }
    for merged in MERGED {
        let link = root.join(merged);
        symlink(Path::new("usr").join(merged), &link)
            .with_context(|| format!("cannot make the link {}", link.display()))?;
    }
    Ok(())
}
