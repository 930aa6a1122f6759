//! Files of a caller's, opened with the caller's rights: the daemon must not read for somebody what they may not.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;

use nix::unistd::{Gid, Uid, setfsgid, setfsuid};

use crate::gate::Identity;
use crate::raw::syscall;

/// Opens a regular file for reading, as `caller` could. It never waits, whatever kind of file it finds.
///
/// # Errors
///
/// The caller may not, the file is not there, or is no regular file.
pub fn open(path: &Path, caller: &Identity) -> io::Result<File> {
    // On a thread of its own: in Linux each thread has its own rights, and this one's end with it.
    let opened = thread::scope(|scope| {
        scope
            .spawn(|| become_caller(caller).and_then(|()| quietly(path)))
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

fn quietly(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}
