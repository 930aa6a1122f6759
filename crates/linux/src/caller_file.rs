//! Files of a caller's, opened with the caller's rights: the daemon must not read for somebody what they may not.
//!
//! A path is walked once, by a thread that has the caller's rights, and what was opened is then looked at through its
//! descriptor alone: whoever swaps a link meanwhile decides between two files that they may read anyway. Magic links
//! (`/proc/self/cwd`, `/proc/self/fd/3`) are refused: they would lead to what is the daemon's, past the directories
//! on the way.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;

use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};

use crate::gate::Identity;
use crate::raw::syscall;

/// Opens a regular file for reading, as `caller` could. It never waits, whatever kind of file it finds.
///
/// # Errors
///
/// The caller may not, the file is not there, or is no regular file.
pub fn open(path: &Path, caller: &Identity) -> io::Result<File> {
    regular(path, caller, ResolveFlag::RESOLVE_NO_MAGICLINKS)
}

/// The same of a path without symbolic links, as the kernel tells where a file lies.
///
/// # Errors
///
/// As [`open`], or there is a link on the way.
pub fn open_without_links(path: &Path, caller: &Identity) -> io::Result<File> {
    regular(path, caller, ResolveFlag::RESOLVE_NO_SYMLINKS)
}

fn regular(path: &Path, caller: &Identity, resolve: ResolveFlag) -> io::Result<File> {
    // On a thread of its own: in Linux each thread has its own rights, and this one's end with it.
    let opened = thread::scope(|scope| {
        scope
            .spawn(|| become_caller(caller).and_then(|()| quietly(path, resolve)))
            .join()
    });
    let file = opened.map_err(|_| io::Error::other("the opening thread panicked"))??;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        ));
    }
    Ok(file)
}

/// Gives the calling thread, and no other, the caller's groups, group and user for the use of files.
fn become_caller(caller: &Identity) -> io::Result<()> {
    if Identity::of_this_process()? == *caller {
        return Ok(()); // which takes no privilege
    }
    let groups = [caller.groups.len(), caller.groups.as_ptr() as usize, 0, 0, 0];
    // SAFETY: the pointer is to as many groups. Unlike the C library's function, the call is this thread's alone.
    let result = unsafe { syscall(libc::SYS_setgroups, groups) };
    if result < 0 {
        return Err(io::Error::from_raw_os_error(-result as i32));
    }
    let (uid, gid) = (Uid::from_raw(caller.uid), Gid::from_raw(caller.gid));
    setfsgid(gid);
    setfsuid(uid); // last: it takes the right to change the others
    // Both return what was in force before: asking again shows whether it took.
    if setfsgid(gid) != gid || setfsuid(uid) != uid {
        return Err(io::Error::other("cannot take the caller's rights"));
    }
    Ok(())
}

fn quietly(path: &Path, resolve: ResolveFlag) -> io::Result<File> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let how = OpenHow::new().flags(flags).resolve(resolve);
    Ok(openat2(AT_FDCWD, path, how)?.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn ourselves() -> Identity {
        Identity::of_this_process().unwrap()
    }

    #[test]
    fn what_is_no_regular_file_is_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
        for path in [pipe.as_path(), dir.path(), Path::new("/dev/null")] {
            let refused = open(path, &ourselves()).unwrap_err().to_string();
            assert!(
                refused.contains("no regular file"),
                "{}: {refused}",
                path.display()
            );
        }
    }

    #[test]
    fn links_are_followed_where_they_may_be_and_magic_ones_never() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "content").unwrap();
        symlink(&file, &link).unwrap();
        open(&link, &ourselves()).unwrap();
        let canonical = file.canonicalize().unwrap();
        open_without_links(&canonical, &ourselves()).unwrap();
        open_without_links(&link, &ourselves()).unwrap_err();
        for magic in [
            "/proc/self/exe",
            "/proc/self/root/etc/hostname",
            "/proc/self/cwd/Cargo.toml",
        ] {
            let refused = open(Path::new(magic), &ourselves()).unwrap_err();
            assert_eq!(refused.raw_os_error(), Some(libc::ELOOP), "{magic}");
        }
    }
}
