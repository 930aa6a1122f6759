//! Perf maps: what a JIT says of the functions it has compiled, in `/tmp/perf-PID.map`.
//!
//! A line is `START SIZE NAME`, numbers in hexadecimal, with or without `0x` (Linux,
//! `tools/perf/Documentation/jit-interface.txt`, has it without; Wasmtime writes it). The file is written by the
//! process that is measured, in a directory where everybody writes. So it is believed only if it is a plain file of
//! that process's user, it is read up to a limit, and a line that makes no sense is passed over.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::Function;
use super::readable::guest;
use super::table::FunctionTable;

/// Most bytes that are read; a line of a hundred bytes for each of 300,000 functions.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// Most functions that are kept.
const MOST_FUNCTIONS: usize = 500_000;
/// No process has addresses above.
const MOST_ADDRESS: u64 = 1 << 57;

/// Why a process's perf map is not used.
#[derive(Debug, thiserror::Error)]
pub enum PerfMapError {
    /// It cannot be opened or read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else may have written it.
    #[error("{}: it is not a plain file of user {user} alone, so it is not believed", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it should be.
        user: u32,
    },
}

/// The functions that a process has compiled.
#[derive(Debug, Default)]
pub struct PerfMap {
    functions: FunctionTable,
}

impl PerfMap {
    /// Reads what the process `pid` of `user` has written; empty where it has written nothing.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or may be somebody else's.
    pub fn of_process(pid: u32, user: u32) -> Result<Self, PerfMapError> {
        Self::read(&path(pid), user)
    }

    fn read(path: &Path, user: u32) -> Result<Self, PerfMapError> {
        let unreadable = |source| PerfMapError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = match quietly(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
        };
        if !is_own(&file.metadata().map_err(unreadable)?, user) {
            let path = path.to_owned();
            return Err(PerfMapError::Foreign { path, user });
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        Ok(Self::parse(&bytes))
    }

    /// What these bytes say; lines that say nothing are passed over.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut functions = FunctionTable::default();
        let lines = bytes.split(|byte| *byte == b'\n');
        for (range, name) in lines.filter_map(line).take(MOST_FUNCTIONS) {
            functions.insert(range, &name);
        }
        Self { functions }
    }

    /// The function at an address of the process.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<Function> {
        self.functions.find(address).map(guest)
    }

    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// Removes the map that a process of `user` has left; somebody else's file stays.
    pub fn remove(pid: u32, user: u32) {
        let path = path(pid);
        // Nobody but its owner can put another file in its place: the directory is sticky.
        if path.symlink_metadata().is_ok_and(|found| is_own(&found, user)) {
            let _ = std::fs::remove_file(&path);
        }
    }
}

fn path(pid: u32) -> PathBuf {
    format!("/tmp/perf-{pid}.map").into()
}

/// Opens a file without following a link and without waiting for the other end of a pipe.
fn quietly(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

/// Whether it is a plain file of this user that no other name leads to.
fn is_own(found: &Metadata, user: u32) -> bool {
    found.is_file() && found.uid() == user && found.nlink() == 1
}

fn line(bytes: &[u8]) -> Option<(Range<u64>, String)> {
    let text = String::from_utf8_lossy(bytes);
    let (start, rest) = text.trim_ascii_end().split_once(' ')?;
    let (size, name) = rest.split_once(' ')?;
    let (start, size) = (hexadecimal(start)?, hexadecimal(size)?);
    let end = start.checked_add(size).filter(|end| *end <= MOST_ADDRESS)?;
    (!name.is_empty()).then(|| (start..end, name.to_owned()))
}

fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    // Rust's own reader would also take a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    fn found(map: &PerfMap, address: u64) -> Option<String> {
        map.find(address).map(|function| function.name)
    }

    #[test]
    fn both_ways_of_writing_numbers_are_read() {
        let map = PerfMap::parse(b"7f00 10 with a space\n0x8000 20 wasm[0]::function[7]::_start\n");
        assert_eq!(found(&map, 0x7eff), None);
        assert_eq!(found(&map, 0x7f0f).as_deref(), Some("with a space"));
        assert_eq!(found(&map, 0x7f10), None);
        assert_eq!(found(&map, 0x801f).as_deref(), Some("_start"));
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        let map = PerfMap::parse(
            b"\n10\n10 10\n10 10 \nxy 10 f\n-1 10 f\n+1 10 f\n10 0 f\nffffffffffffffff ff f\n10 10 last",
        );
        assert_eq!(map.functions.len(), 1);
        assert_eq!(found(&map, 0x10).as_deref(), Some("last"));
    }

    #[test]
    fn only_a_plain_file_of_the_user_is_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("map"), folder.path().join("link"));
        std::fs::write(&file, "10 10 f\n").expect("written");
        symlink(&file, &link).expect("linked");
        let me = std::fs::metadata(&file).expect("there").uid();
        let names = |path: &Path, user| PerfMap::read(path, user).map(|map| map.functions.len());
        assert!(matches!(names(&file, me), Ok(1)));
        assert!(matches!(names(&file, me + 1), Err(PerfMapError::Foreign { .. })));
        assert!(matches!(names(&link, me), Err(PerfMapError::Unreadable { .. })));
        assert!(matches!(
            names(folder.path(), me),
            Err(PerfMapError::Foreign { .. })
        ));
        assert!(matches!(names(&folder.path().join("none"), me), Ok(0)));
        std::fs::hard_link(&file, folder.path().join("second")).expect("linked");
        assert!(matches!(names(&file, me), Err(PerfMapError::Foreign { .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..2000), address: u64) {
            let _ = PerfMap::parse(&bytes).find(address);
        }

        /// Lines much like good ones, which random bytes never are.
        #[test]
        fn no_text_makes_it_fail(text in "([0-9a-fx]{0,17} [0-9a-f]{0,17} \\PC{0,8}[\n\r]?){0,20}") {
            let _ = PerfMap::parse(text.as_bytes()).find(0x10);
        }

        #[test]
        fn what_a_jit_writes_is_found_again(
            sizes in prop::collection::vec(1_u64..5000, 1..50),
            base in 0x1000_u64..1 << 46,
            prefix in prop::sample::select(vec!["", "0x"]),
        ) {
            let (mut text, mut start) = (String::new(), base);
            for (number, size) in sizes.iter().enumerate() {
                text += &format!("{prefix}{start:x} {size:x} function {number}\n");
                start += size;
            }
            let map = PerfMap::parse(text.as_bytes());
            let mut start = base;
            for (number, size) in sizes.iter().enumerate() {
                let name = Some(format!("function {number}"));
                prop_assert_eq!(&found(&map, start), &name);
                prop_assert_eq!(&found(&map, start + size - 1), &name);
                start += size;
            }
            prop_assert_eq!(found(&map, start), None);
        }
    }
}
