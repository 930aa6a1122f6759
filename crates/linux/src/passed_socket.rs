//! A listening socket that a service manager opened and passed on.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd as _, RawFd};
use std::os::unix::net::UnixListener;

use nix::sys::socket::{SockType, UnixAddr, getsockname, getsockopt, sockopt};

/// The socket behind a descriptor that this process was started with, and of which nothing else in it knows.
///
/// # Errors
///
/// It is no listening stream socket of the Unix family.
pub fn listener(fd: RawFd) -> io::Result<UnixListener> {
    // SAFETY: it is looked at for a moment; where it is not open, the kernel says so.
    let socket = unsafe { BorrowedFd::borrow_raw(fd) };
    getsockname::<UnixAddr>(fd)?;
    let listens = getsockopt(&socket, sockopt::AcceptConn)?;
    if !listens || getsockopt(&socket, sockopt::SockType)? != SockType::Stream {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no listening stream socket",
        ));
    }
    // SAFETY: it is open, and by the caller's word nobody else's in this process.
    Ok(unsafe { UnixListener::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd as _, IntoRawFd as _};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn only_a_listening_unix_socket_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let passed = listener(UnixListener::bind(&path).unwrap().into_raw_fd()).unwrap();
        UnixStream::connect(&path).unwrap();
        passed.accept().unwrap();
        let (connected, _other) = UnixStream::pair().unwrap();
        listener(connected.as_raw_fd()).unwrap_err();
        let network = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener(network.as_raw_fd()).unwrap_err();
        listener(std::fs::File::open("/dev/null").unwrap().as_raw_fd()).unwrap_err();
    }
}
