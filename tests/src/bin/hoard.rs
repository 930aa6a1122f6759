//! Opens connections without end, as a hostile client would, and keeps those it gets.
//!
//! `hoard SOCKET NUMBER`: opens so many, prints how many of them the daemon hung up on, and waits to be killed.

use std::io::{ErrorKind, Read as _};
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

fn main() {
    let [socket, number] = [1, 2].map(|place| std::env::args().nth(place).expect("SOCKET NUMBER"));
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("the kernel tells limits");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("a limit may be raised to the hard one");
    let number: usize = number.parse().expect("a number");
    let mut open: Vec<_> = (0..number).map(|_| connect(&socket)).collect();
    // The daemon takes connections in their order: once the last was taken or refused, all were.
    sleep(Duration::from_secs(1));
    let refused = open
        .iter_mut()
        .filter_map(|stream| hung_up(stream).then_some(()))
        .count();
    println!("refused {refused}");
    loop {
        sleep(Duration::from_secs(1000));
    }
}

fn connect(socket: &str) -> UnixStream {
    let stream = UnixStream::connect(socket).expect("the daemon listens");
    stream.set_nonblocking(true).expect("a socket");
    stream
}

/// Whether the other end is gone. One that is there may have said something.
fn hung_up(stream: &mut UnixStream) -> bool {
    let mut said = [0; 4096];
    loop {
        match stream.read(&mut said) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}
