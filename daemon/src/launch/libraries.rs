//! The libraries that a program is linked with, as its own dynamic loader finds them.
//!
//! The loader is asked with `--list`, which glibc's and musl's know: it then maps what the program needs, prints the
//! paths and runs nothing of it. It goes through the gate with the caller's rights and environment, as the program
//! itself will. What a program loads later (`dlopen`) is not in its list.

use std::io::{Read as _, Seek as _};
use std::path::PathBuf;
use std::time::Duration;

use wbd_linux::gate::Program;

use super::helper::{self, Bounds};
use super::process::{MeansError, system};
use super::slot::Slot;

/// What a loader may take; it may be any program of the caller's.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(10),
    output_bytes: 1024 * 1024,
};

/// The libraries that `listing`, a loader with `--list` and a program, finds; or what it said in place of them.
pub(crate) fn list(slot: &mut Slot, listing: &Program) -> Result<Result<Vec<PathBuf>, String>, MeansError> {
    let mut output = helper::scratch().map_err(system("make a file in memory"))?;
    if let Err(said) = helper::run(slot, listing, &output, BOUNDS)? {
        return Ok(Err(said));
    }
    let mut bytes = Vec::new();
    let read = output
        .rewind()
        .and_then(|()| output.take(BOUNDS.output_bytes).read_to_end(&mut bytes));
    read.map_err(system("read what a loader printed"))?;
    Ok(Ok(paths(&String::from_utf8_lossy(&bytes))))
}

/// Lines are `NAME => PATH (ADDRESS)` or `PATH (ADDRESS)`; the kernel's own library has no path.
fn paths(text: &str) -> Vec<PathBuf> {
    let path = |line: &str| {
        let found = line.split_once("=> ").map_or(line, |(_, path)| path).trim();
        let found = found.rsplit_once(" (0x").map_or(found, |(path, _)| path);
        found.starts_with('/').then(|| found.into())
    };
    text.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_loaders_lists_are_read() {
        let glibc = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibc.so.6 => /lib/a b/libc.so.6 (0x00007f5a)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f5b)\n";
        assert_eq!(
            paths(glibc),
            ["/lib/a b/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from)
        );
        let musl =
            "\t/lib/ld-musl-x86_64.so.1 (0x7f)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f)\n";
        assert_eq!(paths(musl).len(), 2);
        assert_eq!(paths("\tstatically linked\n"), [""; 0].map(PathBuf::from));
    }
}
