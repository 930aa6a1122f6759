//! Who is at the other end of a Unix socket.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use crate::gate::Identity;

/// The peer's user, group and supplementary groups at the time it connected.
pub fn identity(socket: impl AsFd) -> io::Result<Identity> {
    let credentials = getsockopt(&socket, PeerCredentials)?;
    Ok(Identity {
        uid: credentials.uid(),
        gid: credentials.gid(),
        groups: groups(&socket)?,
    })
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
}
