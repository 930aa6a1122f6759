//! The conditions that targets run under: their caller's, or those that were asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use wbd_model::RunRequest;
use wbd_tests::client::Client;
use wbd_tests::user::User;
use wbd_tests::{Home, process};

const ONCE: [&str; 5] = ["run", "-n", "1", "--warmup", "0"];

/// The highest CPU this process may use.
fn last_cpu() -> String {
    let cpus = &process::status(std::process::id())["Cpus_allowed_list"];
    cpus.rsplit([',', '-']).next().expect("a CPU").to_owned()
}

/// `setup` and then the client, in one shell process.
fn begin(home: &Home, user: &User, setup: &str, arguments: &[&str]) -> Client {
    let wbctl = home.wbctl_command(arguments);
    let mut shell = user.command("sh");
    shell
        .args(["-c", &format!("{setup} \"$@\""), "sh"])
        .arg(wbctl.get_program());
    shell.args(wbctl.get_args()).current_dir(home.path(""));
    Client::spawn(&mut shell)
}

/// Soft and hard limit, as `/proc/PID/limits` words it.
fn limit(pid: u32, name: &str) -> [String; 2] {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).expect("the process lives");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .expect("a limit");
    let mut words = line.split_whitespace().map(str::to_owned);
    [(); 2].map(|()| words.next().expect("soft and hard"))
}

fn nice(pid: u32) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let (_, fields) = text.rsplit_once(") ").expect("the name in brackets");
    fields.split(' ').nth(16).expect("the nice value").to_owned()
}

/// Needs root.
#[test]
fn a_target_has_its_callers_limits_nice_value_cpus_and_umask() {
    let home = Home::with_dist_for_everyone();
    let wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let cpu = last_cpu();
    let setup = format!("ulimit -n 77; ulimit -Ss 3000; umask 027; exec nice -n 5 taskset -c {cpu}");
    let hang = home.program("hang");
    let client = begin(&home, &nobody, &setup, &[&ONCE[..], &["--", &hang]].concat());
    let pid = home.target();
    assert_eq!(limit(pid, "Max open files"), ["77", "77"]);
    assert_eq!(limit(pid, "Max stack size")[0], "3072000");
    let nicer = nice(std::process::id()).parse::<i32>().expect("a number") + 5;
    assert_eq!(nice(pid), nicer.min(19).to_string());
    let status = process::status(pid);
    assert_eq!(status["Cpus_allowed_list"], cpu);
    assert_eq!(status["Umask"], "0027");
    drop(client);
    wbd_tests::wait::until("the target is gone", || home.processes().is_empty());

    let _client = home.begin_as(&nobody, &["run", "-n", "1", "--", &hang]);
    let pid = home.target();
    let ours = std::process::id();
    assert_eq!(limit(pid, "Max open files"), limit(ours, "Max open files"));
    assert_eq!(nice(pid), nice(wbd.pid()), "the daemon's thread kept its own");
    assert_eq!(
        process::status(pid)["Cpus_allowed_list"],
        process::status(ours)["Cpus_allowed_list"]
    );
}

/// Needs root.
#[test]
fn a_named_target_has_its_callers_limits_too() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let line = ["run", "-t", "native", "-w", "fannkuchredux", "--size", "seed"];
    let _client = begin(&home, &nobody, "ulimit -c 0; ulimit -n 50; exec", &line);
    assert_eq!(limit(home.target(), "Max open files"), ["50", "50"]);
}

/// Needs root.
#[test]
fn a_limit_that_leaves_no_room_for_a_process_is_said_to_be_the_reason() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let alone = User {
        uid: 64_077,
        ..User::nobody()
    };
    home.admit(&alone);
    let client = home.text("dist/bin/raw-client"); // of one thread, so that it needs no more processes itself
    fs::copy(env!("CARGO_BIN_EXE_raw-client"), &client).expect("a file of ours");
    let request = RunRequest {
        command: vec!["/bin/true".into()],
        cwd: "/".into(),
        runs: 1,
        time_limit_ms: 10_000,
        memory_limit_mib: 1024,
        ..RunRequest::default()
    };
    let request = serde_json::to_string(&request).expect("a message is JSON");
    let mut command = alone.command("prlimit");
    command
        .args(["--nproc=0", &client])
        .arg(home.socket())
        .arg(request);
    let answer = Client::spawn(&mut command).answer();
    assert!(answer.stdout.contains("ulimit -u"), "{answer:?}");
}

/// Needs root.
#[test]
fn targets_are_pinned_where_that_is_asked_for() {
    let home = Home::new();
    let _wbd = home.start();
    let cpu = last_cpu();
    let hang = home.program("hang");
    let client = home.begin(&["run", "-n", "1", "--cpu", &cpu, "--", &hang]);
    let pid = home.target();
    assert_eq!(process::status(pid)["Cpus_allowed_list"], cpu);
    drop(client);
    let made = home.measure(&[&ONCE[1..], &["--cpu", &cpu, "--", "/bin/true"]].concat());
    assert!(
        made.warnings
            .iter()
            .any(|said| said.contains(&format!("CPU {cpu}"))),
        "{:?}",
        made.warnings
    );
    let refused = home.wbctl(&["run", "--cpu", "8000", "--", "/bin/true"]).expect(2);
    assert!(refused.stderr.contains("8000"), "{refused:?}");
}

/// Needs root.
#[test]
fn addresses_are_fixed_only_where_that_is_asked_for() {
    let home = Home::new();
    let _wbd = home.start();
    for (flags, expected) in [(&[][..], "00000000"), (&["--no-aslr"], "00040000")] {
        let hang = home.program("hang");
        let line = [&["run", "-n", "1"], flags, &["--", &hang]].concat();
        let client = home.begin(&line);
        let personality = fs::read_to_string(format!("/proc/{}/personality", home.target()));
        assert_eq!(
            personality.expect("the process lives").trim(),
            expected,
            "{flags:?}"
        );
        drop(client);
        wbd_tests::wait::until("the target is gone", || home.processes().is_empty());
    }
}

/// Needs root.
#[test]
fn paddings_differ_from_run_to_run_and_repeat_with_the_seed() {
    let home = Home::new();
    let _wbd = home.start();
    let lengths = |file: &str, flags: &[&str]| {
        let script = format!("echo ${{#WBD_PADDING}} >> {}", home.text(file));
        let line = [
            &["-n", "6", "--warmup", "0", "--seed", "7"],
            flags,
            &["--", "/bin/sh", "-c", &script],
        ];
        home.measure(&line.concat());
        fs::read_to_string(home.path(file)).expect("six lines")
    };
    assert_eq!(lengths("without", &[]), "0\n".repeat(6), "nobody asked for it");
    let first = lengths("first", &["--env-padding"]);
    assert_eq!(first, lengths("second", &["--env-padding"]));
    let mut distinct: Vec<&str> = first.lines().collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() >= 4, "{first}");
}

/// A script that tells how much of itself and of its neighbour is in the page cache, by another tool than ours. It is
/// long, so that reading its first line does not bring all of it in. Needs root.
#[test]
fn a_cold_run_finds_its_own_files_dropped_and_its_neighbours_not() {
    let home = Home::new();
    let _wbd = home.start();
    let mib = "#".repeat(1024 * 1024);
    let neighbour = home.file("neighbour", &mib, 0o644);
    let text = format!("#!/bin/sh\nfincore -bno RES \"$0\" {neighbour} > \"$1\"\nexit\n{mib}");
    let script = home.file("script", &text, 0o755);
    let resident = |state: &str| -> Vec<u64> {
        let out = home.text(state);
        let line = ["-n", "1", "--page-cache", state, "--", &script, &out];
        let made = home.measure(&line);
        let cache = &made.cells[0].cache;
        assert!(cache.starts_with(&format!("page cache {state}")), "{cache}");
        let told = fs::read_to_string(out).expect("what fincore said");
        told.split_whitespace()
            .map(|bytes| bytes.parse().expect("bytes"))
            .collect()
    };
    let all = mib.len() as u64;
    let warm = resident("warm");
    assert!(warm[0] >= all && warm[1] >= all, "{warm:?}");
    let cold = resident("cold");
    assert!(cold[0] < all / 2, "{cold:?} bytes of the script");
    assert!(cold[1] >= all, "{cold:?}: the neighbour was dropped");
}

/// A file that the caller may not read is not dropped on their behalf. Needs root.
#[test]
fn nobody_has_a_file_dropped_that_they_may_not_read() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let hang = home.program("hang");
    fs::set_permissions(&hang, fs::Permissions::from_mode(0o711)).expect("a file of ours");
    let line = [&ONCE[..], &["--page-cache", "cold", "--", &hang]].concat();
    let refused = home.wbctl_as(&nobody, &line).expect(4);
    assert!(refused.stderr.contains("page cache"), "{refused:?}");
}

/// The tool that other people pin with says the same of the syntax. Needs root.
#[test]
fn a_list_of_cpus_means_what_taskset_takes_it_for() {
    let line = ["-c", "0-0:2", "grep", "Cpus_allowed_list", "/proc/self/status"];
    let told = Command::new("taskset").args(line).output().expect("taskset runs");
    let told = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let cpus = wbd_model::cpus::parse("0-0:2").expect("a list");
    assert!(told.ends_with(&wbd_model::cpus::text(&cpus)), "{told}");
}
