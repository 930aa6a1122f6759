//! Processes as the kernel shows them to others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Every process whose program lies below `folder`, removed or not.
#[must_use]
pub fn below(folder: &Path) -> Vec<u32> {
    let is_below = |pid: &u32| program(*pid).is_some_and(|program| program.starts_with(folder));
    all().filter(is_below).collect()
}

/// Every process in a cgroup whose path holds `part`, in any hierarchy.
#[must_use]
pub fn in_cgroup(part: &str) -> Vec<u32> {
    let cgroups = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    all().filter(|pid| cgroups(pid).contains(part)).collect()
}

/// The program of a process, unless the process has ended.
#[must_use]
pub fn program(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// What the kernel tells of a process's rights and more: `/proc/PID/status`.
///
/// # Panics
/// Where the process has ended.
#[must_use]
pub fn status(pid: u32) -> BTreeMap<String, String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let words = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    fields
        .map(|(name, value)| (name.to_owned(), words(value)))
        .collect()
}

/// The number of a process's terminal; 0 where it has none.
///
/// # Panics
/// Where the process has ended.
#[must_use]
pub fn terminal(pid: u32) -> i32 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let (_, fields) = text.rsplit_once(") ").expect("the name in brackets");
    let number = fields.split(' ').nth(4).and_then(|field| field.parse().ok());
    number.expect("its terminal's number")
}

/// The open files of a process, by descriptor.
///
/// # Panics
/// Where the process has ended.
#[must_use]
pub fn descriptors(pid: u32) -> BTreeMap<u32, PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("the process lives");
    let open = entries.flatten().filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, fs::read_link(entry.path()).ok()?))
    });
    open.collect()
}

/// The environment a process was started with, one `NAME=value` each.
///
/// # Panics
/// Where the process has ended.
#[must_use]
pub fn environment(pid: u32) -> Vec<String> {
    let text = fs::read(format!("/proc/{pid}/environ")).expect("the process lives");
    let text = String::from_utf8_lossy(&text);
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// Whether a process has executable memory that no file backs: machine code made while it ran. The kernel's own
/// pages (`[vdso]`, `[vsyscall]`) are not it.
///
/// # Panics
/// Where the process has ended.
#[must_use]
pub fn has_code_without_a_file(pid: u32) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process lives");
    maps.lines().any(|line| {
        let mut words = line.split_whitespace();
        let executable = words.nth(1).is_some_and(|rights| rights.contains('x'));
        let inode = words.nth(2);
        executable && inode == Some("0") && !words.next().is_some_and(|name| name.starts_with("[v"))
    })
}

/// Memory that a process has used at once so far, in MiB.
///
/// # Panics
/// Where the process has ended.
#[must_use]
pub fn peak_mib(pid: u32) -> u64 {
    let peak = &status(pid)["VmHWM"];
    let kib: u64 = peak.trim_end_matches(" kB").parse().expect("a number");
    kib / 1024
}
