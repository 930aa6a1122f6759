//! Under systemd as a machine's first program, the daemon installed as its service: socket, watchdog, restart, stop.

use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wbd_tests::client::Client;
use wbd_tests::user::User;
use wbd_tests::{Answer, process, wait};

const CGROUP: &str = "/sys/fs/cgroup/wbd";

fn call(command: &mut Command) -> Answer {
    Client::spawn(command).answer()
}

fn systemctl(arguments: &[&str]) -> Answer {
    call(Command::new("systemctl").args(arguments))
}

fn wbctl(arguments: &[&str]) -> Answer {
    call(Command::new("/usr/bin/wbctl").args(arguments))
}

#[track_caller]
fn measures() {
    wbctl(&["run", "-t", "native", "-t", "wasmtime-jit", "-n", "2"]).expect(0);
}

/// A property of the daemon's service.
#[track_caller]
fn service(property: &str) -> String {
    let told = systemctl(&["show", "--value", "--property", property, "wbd.service"]).expect(0);
    told.stdout.trim().to_owned()
}

/// The daemon's process, once it is another than `before`.
#[track_caller]
fn daemon_after(before: u32) -> u32 {
    wait::until_some("the service has a process", || {
        let pid = service("MainPID").parse().expect("a number");
        (pid != 0 && pid != before && service("ActiveState") == "active").then_some(pid)
    })
}

/// The group that opens the socket.
fn group() -> u32 {
    let groups = std::fs::read_to_string("/etc/group").expect("there are groups");
    let mut lines = groups.lines();
    let line = lines
        .find(|line| line.starts_with("wbd:"))
        .expect("the group that sysusers made");
    let id = line.split(':').nth(2).expect("its id");
    id.parse().expect("a number")
}

/// Needs root, and a machine of its own.
#[test]
fn the_first_client_starts_the_daemon_and_members_of_the_group_are_clients() {
    systemctl(&["stop", "wbd.service"]).expect(0);
    assert_eq!(systemctl(&["is-active", "wbd.socket"]).stdout.trim(), "active");
    assert_eq!(service("MainPID"), "0", "nobody has asked yet");
    let stranger = User::nobody();
    let member = User {
        groups: vec![group()],
        ..User::nobody()
    };
    let as_user = |user: &User, line: &[&str]| call(user.command("/usr/bin/wbctl").args(line));
    as_user(&stranger, &["list"]).expect(3);
    assert_eq!(service("MainPID"), "0", "who may not ask starts nothing");
    as_user(&member, &["run", "-t", "native", "-n", "2"]).expect(0);
    assert_eq!(service("ActiveState"), "active");
    measures();
}

/// Needs root, and a machine of its own.
#[test]
fn the_service_has_the_capabilities_it_names_and_no_way_to_more() {
    measures();
    let status = process::status(daemon_after(0));
    let none = "0000000000000000";
    for (field, value) in [("NoNewPrivs", "1"), ("CapInh", none), ("CapAmb", none)] {
        assert_eq!(status[field], value, "{field}");
    }
    assert_eq!(status["CapBnd"], status["CapPrm"], "{status:#?}");
    let security = call(Command::new("systemd-analyze").args(["security", "wbd.service"])).expect(0);
    let summary = security.stdout.lines().last().expect("an overall line");
    println!("{summary}");
    assert!(
        summary.contains("Overall exposure level for wbd.service"),
        "{summary}"
    );
}

/// Needs root, and a machine of its own.
#[test]
fn a_daemon_that_is_killed_or_hangs_is_started_again() {
    measures();
    for signal in [Signal::SIGKILL, Signal::SIGSTOP] {
        let pid = daemon_after(0);
        kill(Pid::from_raw(pid.cast_signed()), signal).expect("the daemon is there");
        daemon_after(pid); // one that is stopped is ended by the watchdog
        measures();
    }
}

/// Needs root, and a machine of its own.
#[test]
fn stopping_the_service_ends_what_runs_and_leaves_nothing_and_the_runs_are_kept() {
    measures();
    let run = ["run", "-n", "1", "--warmup", "0", "--", "/bin/sleep", "1000"];
    let client = Client::spawn(Command::new("/usr/bin/wbctl").args(run));
    let targets = || process::in_cgroup("/wbd/");
    wait::until("the target runs", || !targets().is_empty());
    systemctl(&["stop", "wbd.service"]).expect(0);
    assert_eq!(targets(), [0; 0], "processes are left");
    assert!(!Path::new(CGROUP).exists(), "{CGROUP} is left");
    assert_ne!(client.answer().code, 0);
    wbctl(&["show", "1"]).expect(0);
}
