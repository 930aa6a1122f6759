//! What a caller can do to a child that is already theirs and still runs in the daemon's memory: nothing.

use std::fs;
use std::process::{Command, Stdio};

use wbd_tests::client::Client;
use wbd_tests::user::User;
use wbd_tests::{Home, process};

const SUID_DUMPABLE: &str = "/proc/sys/fs/suid_dumpable";

/// A user whom nothing else on the machine runs as: these tests look for, and stop, whatever does.
fn loner(uid: u32) -> User {
    User {
        uid,
        gid: uid,
        ..User::nobody()
    }
}

/// A kernel setting while a test needs another one.
struct Setting(String);

impl Setting {
    fn change(value: &str) -> Self {
        let before = fs::read_to_string(SUID_DUMPABLE).expect("the kernel has the setting");
        fs::write(SUID_DUMPABLE, value).expect("root may change it");
        Self(before)
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        fs::write(SUID_DUMPABLE, &self.0).expect("root may change it");
    }
}

/// Looks into all processes of `user` while `work` is done; its exit code and what it saw.
fn look_into(home: &Home, user: &User, of: &str, work: impl FnOnce()) -> (i32, String) {
    let mut command = user.command(&home.program("gatecrash"));
    let crasher = command
        .arg(of)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut crasher = crasher.expect("it starts");
    work();
    drop(crasher.stdin.take());
    let output = crasher.wait_with_output().expect("a child of ours");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), said)
}

/// The looker is first shown a gate that stands ajar, which it must find. Needs root.
#[test]
fn nobody_looks_into_the_daemon_while_it_becomes_them() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let user = loner(64_066);
    home.admit(&user);
    let [ajar, noop] = ["ajar", "noop"].map(|name| home.program(name));
    let uid = user.uid.to_string();
    let line = ["run", "-n", "500", "--warmup", "0", "--", &noop];
    {
        let _open = Setting::change("1");
        let (code, said) = look_into(&home, &user, &ajar, || {
            let status = Command::new(&ajar).args(["100", &uid, "2", &noop]).status();
            assert!(status.expect("it starts").success());
        });
        assert_eq!(code, 9, "the looker does not find what is open: {said}");
        home.wbctl_as(&user, &line)
            .expect(4)
            .saying(&["fs.suid_dumpable=0"]);
    }
    let _closed = Setting::change("0");
    let wbd = home.wbd().get_program().to_str().expect("UTF-8").to_owned();
    let (code, said) = look_into(&home, &user, &wbd, || {
        home.wbctl_as(&user, &line).expect(0);
    });
    assert_eq!(code, 0, "{said}");
    assert!(
        !said.starts_with("0 links"),
        "it looked into no process at all: {said}"
    );
}

/// Opening the program waits for the lease, 45 s by the kernel's own default. Needs root.
#[test]
fn a_program_that_cannot_be_opened_holds_the_gate_up_for_seconds_only() {
    let home = Home::with_dist_for_everyone();
    let wbd = home.start();
    let user = loner(64_067);
    home.admit(&user);
    let program = home.private_program("noop", &user);
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    let mut holder = user.command(&home.program("lease"));
    let mut holder = holder
        .arg(&program)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut told = [0; 5];
    std::io::Read::read_exact(holder.stdout.as_mut().expect("piped"), &mut told)
        .expect("it tells that it holds");
    let begun = std::time::Instant::now();
    let answer = home
        .wbctl_as(&user, &["run", "-n", "1", "--warmup", "0", "--", &program])
        .expect(1);
    assert!(
        begun.elapsed().as_secs() < 40,
        "the kernel itself broke the lease"
    );
    let run = &home.show("latest").cells[0].samples[0];
    assert!(
        run.notes.iter().any(|note| note.contains("held up")),
        "{run:?}: {answer:?}"
    );
    home.measure(&["-n", "2", "-t", "native"]);
    assert_eq!(process::status(wbd.pid())["State"].chars().next(), Some('S'));
    holder.kill().expect("a child of ours");
    holder.wait().expect("a child of ours");
}

/// Whether the signal comes before the program began or after, the run ends and the daemon goes on. Needs root.
#[test]
fn a_child_that_is_stopped_by_its_caller_holds_nobody_up() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let user = loner(64_068);
    home.admit(&user);
    let noop = home.program("noop");
    let line = [
        "run",
        "-n",
        "500",
        "--warmup",
        "0",
        "--time-limit",
        "1",
        "--",
        &noop,
    ];
    // Root's run holds the queue until the stopper is at work.
    let first = home.begin(&["run", "-n", "1", "--", &home.program("hang")]);
    let _target = home.target();
    let client = home.begin_as(&user, &line);
    let mut stopper = user.command(&home.program("stopper"));
    let stopper = Client::spawn(stopper.arg("3").arg(client.pid().to_string()));
    drop(first);
    let stopper = stopper.answer().expect(0);
    assert_eq!(stopper.stdout, "3\n");
    let answer = client.answer();
    let cell = home.show("latest").cells.remove(0);
    assert_eq!(cell.valid + cell.failed, 500, "{answer:?}");
    assert!(
        cell.failed <= 3,
        "{} runs were stopped: some had ended already",
        cell.failed
    );
    home.measure(&["-n", "2", "-t", "native"]);
}

/// The kernel looks for somebody to kill among those in the cgroup, and there is the child alone. Needs root.
#[test]
fn a_child_that_finds_no_memory_for_its_arguments_takes_nobody_along() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let noop = home.program("noop");
    let long = "x".repeat(100_000);
    let mut line = vec![
        "run",
        "-n",
        "1",
        "--warmup",
        "0",
        "--memory-limit",
        "1",
        "--",
        &noop,
    ];
    line.extend([long.as_str(); 15]);
    let answer = home.wbctl_as(&nobody, &line);
    assert!([0, 1].contains(&answer.code), "{answer:?}");
    home.measure(&["-n", "2", "-t", "native"]);
}
