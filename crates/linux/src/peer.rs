//! Who is at the other end of a Unix socket.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use procfs::process::Process;

use crate::gate::Identity;
use crate::inherited::Inherited;
use crate::raw::syscall;

/// The peer's user, group and supplementary groups at the time it connected.
pub fn identity(socket: impl AsFd) -> io::Result<Identity> {
    let credentials = getsockopt(&socket, PeerCredentials)?;
    Ok(Identity {
        uid: credentials.uid(),
        gid: credentials.gid(),
        groups: groups(&socket)?,
    })
}

/// The process that connected. Another that it left its socket to is not seen.
#[derive(Debug)]
pub struct Peer {
    pid: u32,
    pidfd: OwnedFd,
}

impl Peer {
    /// The peer of a socket, to be asked for when it connects.
    ///
    /// # Errors
    ///
    /// It has ended, or cannot be seen from this PID namespace.
    pub fn of(socket: impl AsFd) -> io::Result<Self> {
        let credentials = getsockopt(&socket, PeerCredentials)?;
        let pid = u32::try_from(credentials.pid()).unwrap_or(0);
        let pidfd = match pidfd_of_peer(&socket) {
            Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => open(pid, credentials.uid())?,
            other => other?,
        };
        Ok(Self { pid, pidfd })
    }

    /// What it hands down to the programs it starts, as it is now.
    ///
    /// # Errors
    ///
    /// It has ended, or `/proc` does not show it.
    pub fn inherited(&self) -> io::Result<Inherited> {
        let read = Inherited::of(self.pid);
        // As it has not been reaped, its number was no other process's meanwhile.
        if self.has_ended()? {
            return Err(io::Error::other("the process that connected has ended"));
        }
        read
    }

    fn has_ended(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        Ok(poll(&mut fds, PollTimeout::ZERO)? > 0)
    }
}

/// `SO_PEERPIDFD`, from Linux 6.5, which nix has no type for.
fn pidfd_of_peer(socket: &impl AsFd) -> io::Result<OwnedFd> {
    let mut fd: RawFd = -1;
    let mut bytes = size_of::<RawFd>() as libc::socklen_t;
    // SAFETY: the buffer is a whole descriptor's.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERPIDFD,
            (&raw mut fd).cast(),
            &raw mut bytes,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// For older kernels: the process of this number. It may be another one's by now, where the peer ended right after
/// it connected; then it must at least be the same user's.
fn open(pid: u32, uid: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers.
    let fd = unsafe { syscall(libc::SYS_pidfd_open, [pid as usize, 0, 0, 0, 0]) };
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd as i32));
    }
    // SAFETY: the kernel has just made it for us.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
    let process = Process::new(pid.cast_signed());
    let status = process
        .and_then(|process| process.status())
        .map_err(io::Error::other)?;
    if status.euid != uid {
        return Err(io::Error::other("the process that connected has ended"));
    }
    Ok(fd)
}

/// `SO_PEERGROUPS`, which nix has no type for. The kernel answers ERANGE and the length it needs.
fn groups(socket: &impl AsFd) -> io::Result<Vec<u32>> {
    let mut groups = vec![0_u32; 64];
    loop {
        let mut bytes = libc::socklen_t::try_from(size_of_val(groups.as_slice()))
            .map_err(|_| io::Error::from_raw_os_error(libc::ERANGE))?;
        // SAFETY: the buffer is valid for writing `bytes` bytes, and the kernel writes no more.
        let result = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        let count = bytes as usize / size_of::<u32>();
        if result == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_socket_pair_of_our_own_shows_ourselves() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = identity(&one).unwrap();
        assert_eq!(peer.uid, nix::unistd::getuid().as_raw());
        assert_eq!(peer.gid, nix::unistd::getgid().as_raw());
    }

    #[test]
    fn a_peer_hands_down_what_this_process_does() {
        let (one, _other) = UnixStream::pair().unwrap();
        let inherited = Peer::of(&one).unwrap().inherited().unwrap();
        assert_eq!(inherited, Inherited::of(std::process::id()).unwrap());
    }

    #[test]
    fn an_older_kernels_way_finds_the_same_process_and_no_other_users() {
        let uid = nix::unistd::geteuid().as_raw();
        let pid = std::process::id();
        let pidfd = open(pid, uid).unwrap();
        assert!(!Peer { pid, pidfd }.has_ended().unwrap());
        open(pid, uid + 1).unwrap_err();
    }

    #[test]
    fn a_peer_that_has_ended_hands_nothing_down() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let peer = Peer {
            pid,
            pidfd: open(pid, nix::unistd::geteuid().as_raw()).unwrap(),
        };
        peer.inherited().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(peer.inherited().unwrap_err().to_string().contains("ended"));
    }
}
