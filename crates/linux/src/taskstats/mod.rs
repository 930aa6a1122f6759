//! CPU time of threads as they end, from the kernel's taskstats interface: the only place where the time of a
//! process that is nobody's child of ours and lives for milliseconds can still be had, to the nanosecond.
//!
//! While an [`Exits`] is open, the kernel sends a record for *every* thread that ends on the machine, about a
//! microsecond of work for each. It needs CAP_NET_ADMIN, the initial user and PID namespaces, CONFIG_TASKSTATS,
//! and for the process a thread belonged to version 12 of the record (Linux 5.19).

mod message;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, sendto, setsockopt,
    socket, sockopt::RcvBufForce,
};

use self::message::{Reply, Request};

/// Bytes of records that may wait: some 10,000 of them.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// More than the largest datagram the kernel sends here.
const DATAGRAM_BYTES: usize = 16 * 1024;

/// The name by which the family's number is asked for.
const FAMILY: &[u8] = b"TASKSTATS\0";

/// A thread that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its process.
    pub pid: u32,
    /// How long it was on a CPU, in nanoseconds, up to its exit.
    pub cpu_ns: u64,
}

/// Receives a record of every thread that ends; closing it ends that.
#[derive(Debug)]
pub struct Exits {
    socket: OwnedFd,
    family: u16,
}

impl Exits {
    /// Begins to listen, on CPUs 0 to `cpus - 1`.
    ///
    /// # Errors
    /// Fails where the kernel has no taskstats, or refuses them.
    pub fn listen(cpus: usize) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let generic = SockProtocol::NetlinkGeneric;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, generic)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        setsockopt(&socket, RcvBufForce, &BUFFER_BYTES)?;
        let family = family(&socket)?;
        let mask = format!("0-{}\0", cpus.saturating_sub(1));
        ask(&socket, &Request::register(family, mask.as_bytes()))?;
        match answer(&socket)? {
            Reply::Acknowledged => Ok(Self { socket, family }),
            _ => Err(io::Error::other(
                "the kernel answered a request for taskstats with something else",
            )),
        }
    }

    /// The threads that ended since the last call.
    ///
    /// # Errors
    /// Fails with ENOBUFS where records were lost.
    pub fn drain(&self) -> io::Result<Vec<Ended>> {
        let mut ended = Vec::new();
        let mut buffer = vec![0; DATAGRAM_BYTES];
        loop {
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => ended.extend(message::threads(&buffer[..length], self.family)),
                Err(nix::Error::EAGAIN) => return Ok(ended),
                Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The number the kernel gave the family.
fn family(socket: &OwnedFd) -> io::Result<u16> {
    ask(socket, &Request::family(FAMILY))?;
    let missing = || io::Error::other("this kernel has no taskstats (CONFIG_TASKSTATS)");
    let family = match answer(socket) {
        Ok(Reply::Family(family)) => family,
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Err(missing()),
        Err(error) => return Err(error),
        Ok(_) => return Err(missing()),
    };
    match answer(socket)? {
        Reply::Acknowledged => Ok(family),
        _ => Err(missing()),
    }
}

fn ask(socket: &OwnedFd, request: &Request) -> io::Result<()> {
    let kernel = NetlinkAddr::new(0, 0);
    sendto(socket.as_raw_fd(), request.bytes(), &kernel, MsgFlags::empty())?;
    Ok(())
}

/// The next answer; the kernel gives it before the request returns.
fn answer(socket: &OwnedFd) -> io::Result<Reply> {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT)?;
    Reply::read(&buffer[..length])
}

#[cfg(fuzzing)]
pub(crate) fn fuzz(datagram: &[u8]) {
    let _ = Reply::read(datagram);
    for family in [0x10, 0x15] {
        let _ = message::threads(datagram, family);
    }
}

#[cfg(test)]
mod tests;
