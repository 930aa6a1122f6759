//! Under a service manager: the socket it opened is used, and it is told what it wants to hear.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wbd_tests::client::Client;
use wbd_tests::{Home, process, wait};

/// Where a manager listens.
fn ear(path: &Path) -> UnixDatagram {
    let ear = UnixDatagram::bind(path).expect("a folder of ours");
    ear.set_read_timeout(Some(*wait::BUDGET)).expect("a time");
    ear
}

#[track_caller]
fn hears(ear: &UnixDatagram, word: &str) {
    let mut message = [0; 256];
    loop {
        let length = ear
            .recv(&mut message)
            .unwrap_or_else(|error| panic!("no {word}: {error}"));
        if message[..length]
            .split(|byte| *byte == b'\n')
            .any(|line| line == word.as_bytes())
        {
            return;
        }
    }
}

/// The daemon of this place, whoever started it.
fn daemon(home: &Home) -> Option<u32> {
    let program = home.wbd().get_program().to_owned();
    let found = process::below(&home.path("dist/bin")).into_iter();
    let mut found = found.filter(|pid| process::program(*pid).is_some_and(|path| path == program));
    found.next()
}

/// systemd's own tool passes the socket on as systemd does, and starts the daemon when the first client comes. Needs root.
#[test]
fn the_managers_socket_is_used_and_left_alone() {
    let home = Home::with_dist();
    let ear = ear(&home.path("notify"));
    let wbd = home.wbd();
    let mut activate = Command::new("systemd-socket-activate");
    activate
        .arg("--listen")
        .arg(home.path("wbd.sock"))
        .arg(format!("--setenv=NOTIFY_SOCKET={}", home.text("notify")))
        .arg("--setenv=WATCHDOG_USEC=400000")
        .arg(wbd.get_program())
        .args(["--socket", "/nonexistent/wbd.sock", "--state"])
        .arg(home.state());
    let mut manager = Client::spawn(&mut activate);
    wait::until("the manager listens", || home.socket().exists());
    assert_eq!(daemon(&home), None, "nobody has asked yet");
    home.measure(&["-t", "native", "-n", "2"]);
    let pid = daemon(&home).expect("the daemon runs");
    hears(&ear, "READY=1");
    for _ in 0..5 {
        hears(&ear, "WATCHDOG=1");
    }
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM).expect("it lives");
    hears(&ear, "STOPPING=1");
    wait::until("the daemon ends", || !manager.is_busy());
    let answer = manager.answer().expect(0);
    assert!(
        answer
            .stderr
            .contains(&format!("listening on {}", home.text("wbd.sock"))),
        "{answer:?}"
    );
    assert!(home.socket().exists(), "the socket's file is the manager's");
}

/// A daemon that is held up says nothing, so that its manager can start another. Needs root.
#[test]
fn a_manager_hears_nothing_from_a_daemon_whose_loop_does_not_turn() {
    let home = Home::with_dist();
    let ear = ear(&home.path("notify"));
    let mut command = home.wbd();
    command
        .env("NOTIFY_SOCKET", home.path("notify"))
        .env("WATCHDOG_USEC", "200000");
    let wbd = wbd_tests::Daemon::start(&home, &mut command);
    hears(&ear, "WATCHDOG=1");
    wbd.signal(Signal::SIGSTOP);
    wait::until("it is stopped", || {
        process::status(wbd.pid())["State"].starts_with('T')
    });
    ear.set_nonblocking(true).expect("a socket of ours");
    while ear.recv(&mut [0; 256]).is_ok() {}
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(ear.recv(&mut [0; 256]).is_err(), "it spoke while it was stopped");
    wbd.signal(Signal::SIGCONT);
    ear.set_nonblocking(false).expect("a socket of ours");
    hears(&ear, "WATCHDOG=1");
}

/// Needs root.
#[test]
fn something_else_than_a_socket_is_refused() {
    let home = Home::with_dist();
    let script = format!(
        "exec 3</dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec {} --state {}",
        home.wbd().get_program().display(),
        home.text("state")
    );
    let answer = Client::spawn(Command::new("sh").args(["-c", &script])).answer();
    answer
        .expect(1)
        .saying(&["service manager", "listening Unix socket"]);
}
