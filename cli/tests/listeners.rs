//! What `wbctl` makes of sockets that are not the daemon's: it says so, exits with 3, and never hangs.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `wbctl list` against `socket` and checks what all failures to reach a daemon have in common.
fn assert_unreachable(socket: &Path, said: &str) {
    let begun = Instant::now();
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_wbctl"))
        .arg("--socket")
        .args([socket.as_os_str(), "list".as_ref()])
        .output()
        .unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    println!("{stderr}");
    assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
    assert_eq!(status.code(), Some(3), "{stderr}");
    assert!(stdout.is_empty());
    assert!(stderr.contains(said), "{stderr}");
    assert!(stderr.contains(socket.to_str().unwrap()), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "one sentence: {stderr}");
}

/// Listens in `directory` and hands each connection to `behave`.
fn listen(directory: &TempDir, behave: fn(UnixStream)) -> std::path::PathBuf {
    let socket = directory.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || listener.incoming().for_each(|stream| behave(stream.unwrap())));
    socket
}

#[test]
fn a_socket_that_is_not_there_says_how_to_start_the_daemon() {
    let directory = TempDir::new().unwrap();
    assert_unreachable(&directory.path().join("socket"), "start one with `sudo wbd`");
}

#[test]
fn a_socket_that_its_daemon_left_behind_says_so() {
    let directory = TempDir::new().unwrap();
    let socket = directory.path().join("socket");
    drop(UnixListener::bind(&socket).unwrap());
    assert_unreachable(&socket, "the daemon that made it is gone");
}

#[test]
fn a_listener_that_says_nothing_is_given_up() {
    let directory = TempDir::new().unwrap();
    let silence = |mut stream: UnixStream| {
        let _ = stream.read_to_end(&mut Vec::new());
    };
    assert_unreachable(&listen(&directory, silence), "says nothing for 5 s");
}

#[test]
fn a_listener_that_speaks_http1_is_not_wbd() {
    let directory = TempDir::new().unwrap();
    let greet = |mut stream: UnixStream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    };
    assert_unreachable(&listen(&directory, greet), "its first bytes are not HTTP/2");
}

#[test]
fn a_listener_that_hangs_up_is_not_wbd() {
    let directory = TempDir::new().unwrap();
    assert_unreachable(&listen(&directory, drop), "it closed the connection at once");
}

#[test]
fn a_listener_that_greets_and_hangs_up_is_a_broken_connection() {
    let directory = TempDir::new().unwrap();
    let socket = listen(&directory, |mut stream| {
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        let _ = stream.write_all(&settings);
    });
    let output = Command::new(env!("CARGO_BIN_EXE_wbctl"))
        .env("WBD_SOCKET", socket)
        .arg("list")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    println!("{stderr}");
    assert_eq!(output.status.code(), Some(3), "{stderr}");
}

#[test]
fn bad_usage_is_told_before_the_daemon_is_looked_for() {
    for line in [
        &["run"][..],
        &["run", "-t", "native", "--", "ls"],
        &["no-such-command"],
        &[],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_wbctl"))
            .env("WBD_SOCKET", "/no/such/socket")
            .args(line)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{line:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
