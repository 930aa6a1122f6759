//! The Debian package: installed below a root of its own it runs from there, and removed it leaves nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use wbd_tests::client::Client;
use wbd_tests::{Answer, Daemon, Home};

fn package() -> String {
    std::env::var("WBD_DEB").expect("WBD_DEB names the package to test; `cargo xtask test` sets it")
}

/// A root with nothing in it but what dpkg and groupadd want to find.
fn empty_root(home: &Home) -> PathBuf {
    let root = home.path("root");
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
        fs::create_dir_all(root.join(folder)).expect("a folder of ours");
    }
    fs::write(root.join("var/lib/dpkg/status"), "").expect("a folder of ours");
    for (file, text) in [
        ("group", "root:x:0:\n"),
        ("gshadow", "root:*::\n"),
        ("passwd", "root:x:0:0::/:/bin/sh\n"),
    ] {
        fs::write(root.join("etc").join(file), text).expect("a folder of ours");
    }
    root
}

/// Runs the package's scripts outside of the root, where there is no shell.
#[track_caller]
fn dpkg(root: &Path, arguments: &[&str]) -> Answer {
    let mut dpkg = Command::new("dpkg");
    dpkg.arg(format!("--root={}", root.display()))
        .args(["--force-script-chrootless", "--force-depends"])
        .args(arguments);
    Client::spawn(&mut dpkg).answer().expect(0)
}

/// Every file below a folder, with mode, owner and length; dpkg's own records left out.
fn files(root: &Path) -> BTreeMap<PathBuf, (u32, u32, u64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of ours").flatten() {
            let path = entry.path();
            let about = path.symlink_metadata().expect("it is there");
            let inside = path.strip_prefix(root).expect("below").to_owned();
            let mode = about.permissions().mode() & if about.is_symlink() { 0 } else { 0o7777 }; // a link has none
            if about.is_dir() {
                folders.push(path);
            } else if !inside.starts_with("var/lib/dpkg") {
                found.insert(inside, (mode, about.uid(), about.len()));
            }
        }
    }
    found
}

/// Needs root.
#[test]
fn an_installed_package_runs_and_a_removed_one_leaves_nothing() {
    let home = Home::new();
    let root = empty_root(&home);
    let before = files(&root);
    dpkg(&root, &["--install", &package()]);
    let installed = files(&root);
    for (file, mode) in [
        ("usr/bin/wbd", 0o755),
        ("usr/bin/wbctl", 0o755),
        ("usr/lib/wbd/wbd-clock", 0o755),
        ("usr/share/wbd/workloads/fasta/workload.toml", 0o644),
        ("usr/lib/systemd/system/wbd.service", 0o644),
        ("usr/lib/systemd/system/wbd.socket", 0o644),
        ("usr/lib/sysusers.d/wbd.conf", 0o644),
        ("usr/share/doc/wbd/SECURITY.md", 0o644),
        ("etc/wbd/wbd.toml", 0o644),
    ] {
        let found = installed
            .get(Path::new(file))
            .unwrap_or_else(|| panic!("no {file}: {installed:#?}"));
        assert_eq!((found.0, found.1), (mode, 0), "{file}");
    }
    for (file, (mode, uid, _)) in &installed {
        assert_eq!(
            (mode & 0o022, *uid),
            (0, 0),
            "others can change {}",
            file.display()
        );
    }
    let groups = fs::read_to_string(root.join("etc/group")).expect("a file of ours");
    assert!(groups.contains("\nwbd:"), "{groups}");
    runs(&home, &root);
    dpkg(&root, &["--purge", "wbd"]);
    let mut left = files(&root);
    left.retain(|file, about| {
        before.get(file) != Some(about) && !file.ends_with("group-") && !file.ends_with("gshadow-")
    });
    assert!(left.is_empty(), "{left:#?}");
    for folder in ["usr/bin", "usr/lib/wbd", "usr/share/wbd", "etc/wbd"] {
        assert!(!root.join(folder).exists(), "{folder} is left");
    }
}

/// With the configuration that came along, and the client that came along.
fn runs(home: &Home, root: &Path) {
    let mut wbd = Command::new(root.join("usr/bin/wbd"));
    wbd.arg("--config").arg(root.join("etc/wbd/wbd.toml"));
    wbd.arg("--socket")
        .arg(home.socket())
        .arg("--state")
        .arg(home.state());
    let _wbd = Daemon::start(home, &mut wbd);
    let mut wbctl = Command::new(root.join("usr/bin/wbctl"));
    wbctl.arg("--socket").arg(home.socket());
    wbctl.args([
        "run",
        "-t",
        "native",
        "-t",
        "wasmtime-jit",
        "-w",
        "empty",
        "-n",
        "2",
    ]);
    Client::spawn(&mut wbctl).answer().expect(0);
}
