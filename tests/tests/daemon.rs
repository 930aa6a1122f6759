//! The daemon's life: what it refuses to start on, and what is left of a run that the daemon, its client or the
//! disk did not see to the end.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::Signal;
use wbd_model::Experiment;
use wbd_model::document::State;
use wbd_model::request::ExperimentList;
use wbd_tests::client::Client;
use wbd_tests::daemon::assert_nothing_left;
use wbd_tests::user::User;
use wbd_tests::{Answer, Daemon, Home, wait};

/// What a daemon says that does not start.
#[track_caller]
fn refusal(command: &mut Command) -> Answer {
    Client::spawn(command).answer().expect(1)
}

/// A command whose first three runs end at once and whose fourth never does.
fn hang_in_the_fourth_run(home: &Home) -> [String; 3] {
    let script = "#!/bin/sh\necho >> $1\ntest $(wc -l < $1) -le 3 || exec $2\n";
    [
        home.file("script", script, 0o755),
        home.text("runs"),
        home.program("hang"),
    ]
}

/// A client whose experiment has three finished runs and is in its fourth.
fn in_the_fourth_run(home: &Home) -> Client {
    let command = hang_in_the_fourth_run(home);
    let [script, runs, hang] = command.each_ref().map(String::as_str);
    let client = home.begin(&["run", "-n", "10", "--warmup", "0", "--", script, runs, hang]);
    wait::until("the fourth run hangs", || !home.processes().is_empty());
    client
}

/// The experiment that was cut short in its fourth run.
#[track_caller]
fn assert_kept(home: &Home) -> Experiment {
    let kept = home.show("latest");
    assert_eq!(kept.state, State::Interrupted);
    let cell = &kept.cells[0];
    assert_eq!(
        (cell.valid, cell.failed, cell.samples.len()),
        (3, 0, 3),
        "{cell:#?}"
    );
    assert_eq!(cell.metrics[&wbd_model::Metric::Wall].n, 3);
    kept
}

/// Needs root.
#[test]
fn a_second_daemon_on_the_same_state_directory_refuses_and_says_why() {
    let home = Home::new();
    let _wbd = home.start();
    let mut second = home.wbd();
    second.arg("--socket").arg(home.path("other.sock"));
    let mut second = Command::new(second.get_program());
    second
        .arg("--socket")
        .arg(home.path("other.sock"))
        .arg("--state")
        .arg(home.state());
    refusal(&mut second).saying(&["another wbd is running", home.state().to_str().unwrap()]);
    home.measure(&["-t", "native", "-n", "1"]);
}

/// Needs root.
#[test]
fn a_second_daemon_on_the_same_socket_refuses_and_leaves_the_first_alone() {
    let home = Home::new();
    let _wbd = home.start();
    let mut second = Command::new(home.wbd().get_program());
    second
        .arg("--socket")
        .arg(home.socket())
        .arg("--state")
        .arg(home.path("other"));
    refusal(&mut second).saying(&["already listens", home.socket().to_str().unwrap()]);
    home.measure(&["-t", "native", "-n", "1"]);
}

/// Needs root.
#[test]
fn a_file_in_the_place_of_the_state_directory_is_told_and_kept() {
    let home = Home::new();
    let path = home.file("state", "precious", 0o644);
    refusal(&mut home.wbd()).saying(&[&path, "--state"]);
    assert_eq!(fs::read_to_string(path).unwrap(), "precious");
}

/// Needs root.
#[test]
fn a_file_in_the_place_of_the_socket_is_told_and_kept() {
    let home = Home::new();
    let path = home.file("wbd.sock", "precious", 0o644);
    refusal(&mut home.wbd()).saying(&[&path, "no socket", "--socket"]);
    assert_eq!(fs::read_to_string(path).unwrap(), "precious");
}

/// Needs root.
#[test]
fn a_store_that_is_no_database_is_told_and_kept() {
    let home = Home::new();
    fs::create_dir(home.state()).unwrap();
    let store = home.file("state/wbd.db", &"precious".repeat(1000), 0o600);
    refusal(&mut home.wbd()).saying(&[&store, "damaged"]);
    assert_eq!(fs::read_to_string(store).unwrap(), "precious".repeat(1000));
}

/// Needs root, to start it as somebody else.
#[test]
fn without_root_it_says_what_it_needs() {
    let home = Home::with_dist_for_everyone();
    fs::create_dir(home.state()).unwrap();
    let wbd = home.wbd();
    let mut unprivileged = User::nobody().command(wbd.get_program().to_str().unwrap());
    unprivileged.args(wbd.get_args());
    refusal(&mut unprivileged).saying(&[home.state().to_str().unwrap(), "root"]);
}

/// Needs root.
#[test]
fn the_socket_of_a_daemon_that_died_is_replaced() {
    let home = Home::new();
    drop(UnixListener::bind(home.socket()).unwrap());
    home.wbctl(&["list"]).expect(3).saying(&["nothing listens"]);
    let _wbd = home.start();
    home.wbctl(&["list"]).expect(0);
}

/// Needs root, to start a daemon beside it.
#[test]
fn something_else_on_the_socket_is_told_by_client_and_daemon() {
    let home = Home::new();
    let listener = UnixListener::bind(home.socket()).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n"); // a client may hang up first
        }
    });
    home.wbctl(&["list"])
        .expect(3)
        .saying(&["is not wbd", home.socket().to_str().unwrap()]);
    refusal(&mut home.wbd()).saying(&["already listens"]);
}

/// Needs root.
#[test]
fn settings_come_from_a_file_and_flags_win_over_it() {
    let home = Home::new();
    let text = format!("socket = \"/nowhere/s\"\nstate = {:?}\n", home.state());
    let config = home.file("wbd.toml", &text, 0o644);
    let mut wbd = Command::new(home.wbd().get_program());
    wbd.args(["--config", &config]).arg("--socket").arg(home.socket());
    Daemon::start(&home, &mut wbd).stop();
    fs::write(&config, "sokcet = 1\n").unwrap();
    refusal(&mut wbd).saying(&[&config, "sokcet"]);
}

/// Needs root.
#[test]
fn experiments_outlive_the_daemon() {
    let home = Home::new();
    let wbd = home.start();
    let before = home.measure(&["-t", "native", "-n", "5"]);
    wbd.stop();
    home.wbctl(&["list"])
        .expect(3)
        .saying(&["does not exist", "sudo wbd"]);
    let _wbd = home.start();
    assert_eq!(home.show(&before.experiment), before);
    let after = home.measure(&["-t", "native", "-n", "5"]);
    assert_ne!(after.experiment, before.experiment);
}

/// Needs root.
#[test]
fn after_kill_9_in_a_run_the_next_daemon_keeps_the_finished_runs_and_clears_away_the_rest() {
    let home = Home::new();
    let wbd = home.start();
    let client = in_the_fourth_run(&home);
    let held = wbd.kill();
    assert!(
        !held.runs().is_empty() && !home.processes().is_empty(),
        "it cleaned up although it was killed"
    );
    client
        .answer()
        .expect(3)
        .saying(&["connection to the daemon broke"]);
    let wbd = home.start();
    assert_eq!(home.processes(), [0; 0], "the run lives on");
    assert!(held.runs().is_empty(), "cgroups are left: {:?}", held.runs());
    assert_kept(&home);
    home.measure(&["-t", "native", "-n", "3"]);
    wbd.stop();
    assert_nothing_left(&home, &held);
}

/// Needs root.
#[test]
fn a_client_that_goes_away_ends_its_run_soon_and_keeps_the_finished_ones() {
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let home = Home::new();
        let _wbd = home.start();
        let client = in_the_fourth_run(&home);
        client.signal(signal);
        wait::until("the run ends", || home.processes().is_empty());
        home.measure(&["-t", "native", "-n", "1"]); // comes after the end of the other
        let listed = home
            .wbctl(&["--json", "list"])
            .json::<ExperimentList>()
            .experiments;
        assert_eq!((listed[1].state, listed[1].runs), (State::Interrupted, 3));
        home.wbctl(&["rm", "latest"]).expect(0);
        assert_kept(&home);
    }
}

/// Needs root.
#[test]
fn sigterm_in_a_run_ends_it_and_keeps_the_finished_ones() {
    let home = Home::new();
    let wbd = home.start();
    let client = in_the_fourth_run(&home);
    wbd.stop();
    let answer = client.answer();
    assert!([1, 3].contains(&answer.code), "{answer:#?}");
    let _wbd = home.start();
    assert_kept(&home);
}

/// Needs root.
#[test]
fn experiments_wait_for_one_another_and_one_that_gives_up_holds_nobody_up() {
    let home = Home::new();
    let _wbd = home.start();
    let first = in_the_fourth_run(&home);
    let mut second = home.begin(&["run", "-t", "native", "-n", "1"]);
    let third = home.begin(&["run", "-t", "native", "-n", "1"]);
    home.wbctl(&["list"]).expect(0); // questions do not wait
    assert!(second.is_busy(), "two experiments at once");
    second.signal(Signal::SIGINT);
    second.answer();
    first.signal(Signal::SIGINT);
    let _ = third.answer().expect(0);
}

/// A file system with so little room that experiments fill it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Self {
        fs::create_dir(at).unwrap();
        mount(
            Some("tmpfs"),
            at,
            Some("tmpfs"),
            MsFlags::empty(),
            Some("size=16m"), // room for the ballast and some thousand runs
        )
        .unwrap();
        Self(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

/// Needs root, to mount a small file system.
#[test]
fn a_full_disk_ends_the_experiment_keeps_its_runs_and_leaves_the_daemon_alive() {
    let home = Home::new();
    let _disk = SmallDisk::mount(&home.state());
    let _wbd = home.start();
    let first = home.measure(&["-t", "native", "-n", "5"]);
    let noop = home.program("noop");
    home.wbctl(&["run", "-n", "100000", "--", &noop])
        .expect(4)
        .saying(&["no room left", "wbctl rm"]);
    assert_eq!(
        home.show(&first.experiment),
        first,
        "an earlier experiment has changed"
    );
    let cut = home.show("latest");
    let cell = &cut.cells[0];
    assert_eq!(cut.state, State::Interrupted);
    assert!(
        cell.valid > 100 && cell.samples.len() == cell.valid as usize,
        "{} runs are kept",
        cell.valid
    );
    home.wbctl(&["rm", &cut.experiment]).expect(0);
    let after = home.measure(&["-t", "native", "-n", "20"]);
    assert_eq!(after.cells[0].valid, 20);
}
