//! More than a daemon should ever be asked: clients by the thousand, clients that send or read nothing, requests that
//! fill memory, targets that fill the machine or reach for others. Each is bounded, and hurts nobody else.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tonic::Code;
use wbd_model::document::State;
use wbd_model::request::{Empty, ExperimentList, ExperimentName};
use wbd_model::service::wbd_client::WbdClient;
use wbd_model::{Exit, RunRequest};
use wbd_tests::client::Client;
use wbd_tests::documents::only_run;
use wbd_tests::grpc::{self, connect, connect_narrow};
use wbd_tests::user::User;
use wbd_tests::{Daemon, Home, process, wait};

const HOARD: &str = env!("CARGO_BIN_EXE_hoard");
const ONCE: [&str; 4] = ["-n", "1", "--warmup", "0"];
/// What every client of HTTP/2 says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Much more than the daemon needs for a thousand clients, and less than a hundred bytes for each byte they send.
const MOST_MIB: u64 = 150;

/// A user of these tests alone: some of their programs kill all that is his.
fn hooligan() -> User {
    User {
        uid: 64_021,
        gid: 64_021,
        ..User::nobody()
    }
}

fn assert_small(wbd: &Daemon<'_>) {
    let peak = process::peak_mib(wbd.pid());
    assert!(peak < MOST_MIB, "the daemon has grown to {peak} MiB");
}

/// Some say nothing, some stop in the middle of a word; each of the others is answered. Needs root.
#[test]
fn a_thousand_clients_are_answered_while_as_many_stall() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let home = Home::new();
    let wbd = home.start();
    home.measure(&["-t", "native", "-n", "1"]);
    let idle = process::descriptors(wbd.pid()).len();
    let mut stalled: Vec<UnixStream> = (0..500)
        .map(|_| UnixStream::connect(home.socket()).unwrap())
        .collect();
    for stream in &mut stalled[250..] {
        stream.write_all(PREFACE).unwrap();
        stream.write_all(&[0, 0, 100, 1]).unwrap(); // the beginning of a frame of 100 bytes
    }
    grpc::runtime().block_on(async {
        let mut clients = Vec::new();
        for _ in 0..500 {
            clients.push(WbdClient::new(connect(&home.socket()).await)); // all are connected before one asks
        }
        let mut answers = JoinSet::new();
        for mut client in clients {
            answers.spawn(async move { client.list(Empty {}).await.map(drop) });
        }
        while let Some(answer) = answers.join_next().await {
            answer.unwrap().unwrap();
        }
    });
    home.measure(&["-t", "native", "-n", "3"]);
    drop(stalled);
    wait::until("all descriptors are given back", || {
        process::descriptors(wbd.pid()).len() <= idle
    });
    assert_small(&wbd);
}

/// Needs root.
#[test]
fn one_user_who_takes_all_connections_he_gets_keeps_nobody_else_out() {
    let home = Home::with_dist_for_everyone();
    let wbd = home.start();
    let (greedy, other) = (hooligan(), User::somebody());
    home.admit(&greedy);
    let hoard = home.text("dist/bin/hoard");
    fs::copy(HOARD, &hoard).unwrap();
    let mut command = greedy.command(&hoard);
    let hoarder = Client::spawn(command.arg(home.socket()).arg("1200"));
    let two_each = || process::descriptors(wbd.pid()).len();
    wait::until("he has what he gets", || two_each() > 2000);
    home.wbctl_as(&other, &["list"]).expect(0);
    home.wbctl_as(&greedy, &["list"]).expect(3);
    home.measure(&["-t", "native", "-n", "3"]);
    assert!(two_each() < 2200, "{} descriptors", two_each());
    drop(hoarder);
    wait::until("he is let in again", || {
        home.wbctl_as(&greedy, &["list"]).code == 0
    });
    assert_small(&wbd);
}

/// What it is told fills its queue long before the end; the thread that launches does not wait for it. Needs root.
#[test]
fn a_client_that_reads_nothing_holds_nobody_up_and_its_runs_are_kept() {
    let home = Home::new();
    let wbd = home.start();
    let request = RunRequest {
        command: ["/bin/sleep", "0.1"].map(str::to_owned).into(),
        runs: 60,
        cwd: "/".into(),
        time_limit_ms: 10_000,
        memory_limit_mib: 64,
        ..RunRequest::default()
    };
    let runtime = grpc::runtime();
    let _unread = runtime.block_on(async {
        let channel = connect_narrow(&home.socket()).await;
        WbdClient::new(channel).run(request).await.unwrap()
    });
    home.measure(&["-t", "native", "-n", "1"]); // comes after all of the other's runs
    let list = home.wbctl(&["--json", "list"]).expect(0).json::<ExperimentList>();
    assert_eq!(
        (list.experiments[1].state, list.experiments[1].runs),
        (State::Done, 60)
    );
    let begun = Instant::now();
    wbd.stop(); // does not wait for it either
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// Answers that nobody reads are made for a few requests of each user only; the rest of his wait, others do not.
/// Needs root.
#[test]
fn a_user_who_reads_none_of_his_answers_fills_no_memory_and_keeps_nobody_waiting() {
    let home = Home::with_dist_for_everyone();
    let wbd = home.start();
    home.admit(&hooligan());
    home.measure(&["-n", "1500", "--", &home.program("noop")]);
    let request = ExperimentName {
        experiment: "latest".into(),
    };
    let answered = Arc::new(AtomicUsize::new(0));
    let runtime = grpc::runtime();
    let unread = runtime.block_on(async {
        let mut unread = Vec::new();
        for _ in 0..100 {
            let mut client = WbdClient::new(connect_narrow(&home.socket()).await);
            let (request, answered) = (request.clone(), Arc::clone(&answered));
            unread.push(tokio::spawn(async move {
                let _answer = client.runs(request).await;
                answered.fetch_add(1, Ordering::Relaxed);
                std::future::pending::<()>().await; // and reads nothing of it
            }));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        unread
    });
    home.wbctl_as(&hooligan(), &["list"]).expect(0);
    assert_eq!(answered.load(Ordering::Relaxed), 4, "answers that nobody reads");
    drop(unread);
    assert_small(&wbd);
}

/// Needs root.
#[test]
fn requests_without_measure_are_refused_before_they_fill_memory() {
    let home = Home::new();
    let wbd = home.start();
    let run = "/wbd.v1.Wbd/Run";
    let names = |name: &str, number| vec![name; number].join("\",\"");
    let request = serde_json::to_string(&RunRequest {
        targets: vec!["TARGETS".into()],
        workloads: vec!["WORKLOADS".into()],
        runs: 1,
        time_limit_ms: 1,
        memory_limit_mib: 1,
        ..RunRequest::default()
    });
    let request = request.unwrap();
    let many = request
        .replace("TARGETS", &names("native", 200_000))
        .replace("WORKLOADS", &names("empty", 200_000));
    let storms = [
        ("a hundred megabytes", vec![b' '; 100 << 20], Code::OutOfRange),
        ("a deep one", vec![b'['; 3 << 20], Code::InvalidArgument),
        (
            "a deep one where a value is ignored",
            deep(),
            Code::InvalidArgument,
        ),
        (
            "forty thousand million cells",
            many.into_bytes(),
            Code::InvalidArgument,
        ),
        ("nothing", Vec::new(), Code::InvalidArgument),
        ("no JSON", b"\0\xff".to_vec(), Code::InvalidArgument),
    ];
    for (what, message, code) in storms {
        let refusal = grpc::runtime().block_on(async {
            let channel = connect(&home.socket()).await;
            grpc::send(channel, run, message).await.unwrap_err()
        });
        assert_eq!(refusal.code(), code, "{what}: {refusal:?}");
    }
    assert_small(&wbd);
    home.measure(&["-t", "native", "-n", "1"]);
}

fn deep() -> Vec<u8> {
    [&b"{\"nobody knows this\":"[..], &vec![b'['; 3 << 20]].concat()
}

/// Whoever asks the daemon meanwhile is answered, however slowly: thousands of processes want the CPUs, too. For the same
/// reason nobody looks for them one by one while they live: that takes longer than they do.
///
/// Needs root.
#[test]
fn a_fork_bomb_stays_in_its_cgroup_and_is_ended_with_all_it_made() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    home.admit(&hooligan());
    let bomb = home.program("bomb");
    let line = [&["run", "--time-limit", "3"], &ONCE[..], &["--", &bomb]].concat();
    let mut client = home.begin_as(&hooligan(), &line);
    while client.is_busy() {
        home.wbctl(&["list"]).expect(0);
    }
    client.answer().expect(1);
    assert_eq!(home.processes(), [0; 0], "processes are left");
    let made = home.show("latest");
    let run = only_run(&made);
    assert!(run.notes[0].contains("4096 processes"), "{:?}", run.notes);
    home.measure(&["-t", "native", "-n", "3"]);
}

/// Needs root.
#[test]
fn a_program_that_prints_a_hundred_gigabytes_is_ended_at_half_a_gigabyte() {
    let home = Home::new();
    let wbd = home.start();
    let flood = home.program("flood");
    let made = home.fail(&[&ONCE[..], &["--", &flood, "100000000000"]].concat());
    let run = only_run(&made);
    assert!(run.notes[0].contains("printed more than"), "{:?}", run.notes);
    assert_eq!(run.exit, Exit::Signal(9));
    assert_small(&wbd);
}

/// A run of root's that goes on until its client is stopped, in a place of its own.
struct Victim<'a> {
    home: &'a Home,
    wbd: Daemon<'a>,
    client: Client,
    target: u32,
}

impl<'a> Victim<'a> {
    fn of(home: &'a Home) -> Self {
        let wbd = home.start();
        let client = home.begin(&["run", "-n", "1", "--warmup", "0", "--", &home.program("hang")]);
        let target = home.target();
        Self {
            home,
            wbd,
            client,
            target,
        }
    }

    /// It was not hurt: it can still be stopped as usual.
    fn assert_unhurt(mut self) {
        assert!(self.client.is_busy(), "its client was ended");
        assert_eq!(self.home.processes(), [self.target]);
        let state = &process::status(self.target)["State"];
        assert!(state.starts_with('S'), "it was stopped: {state}");
        self.client.signal(nix::sys::signal::Signal::SIGINT);
        wait::until("it ends", || self.home.processes().is_empty());
        self.wbd.stop();
    }
}

/// Needs root.
#[test]
fn a_target_can_neither_trace_nor_signal_the_daemon_or_another_users_run() {
    let (home, other) = (Home::with_dist_for_everyone(), Home::new());
    let wbd = home.start();
    home.admit(&hooligan());
    let victim = Victim::of(&other);
    let pids = [wbd.pid(), victim.wbd.pid(), victim.client.pid(), victim.target].map(|pid| pid.to_string());
    let reach = home.program("reach");
    let line = [
        &["run"],
        &ONCE[..],
        &["--", &reach],
        &pids.each_ref().map(String::as_str),
    ]
    .concat();
    home.wbctl_as(&hooligan(), &line).expect(0);
    let made = home.show("latest");
    let run = only_run(&made);
    assert_eq!((run.valid, &run.exit), (true, &Exit::Code(0)), "{run:?}");
    victim.assert_unhurt();
    home.measure(&["-t", "native", "-n", "3"]);
}

/// `kill -9 -1` takes all that is its user's, his client included, and nothing else. Needs root.
#[test]
fn a_target_that_signals_everybody_hits_its_own_user_alone() {
    let (home, other) = (Home::with_dist_for_everyone(), Home::new());
    let _wbd = home.start();
    home.admit(&hooligan());
    let victim = Victim::of(&other);
    let script = format!("#!/bin/sh\nkill -9 -1\nexec {}\n", home.program("hang"));
    let script = home.file("script", &script, 0o755);
    let line = [&["run"], &ONCE[..], &["--", &script]].concat();
    let client = home.begin_as(&hooligan(), &line);
    assert_eq!(client.answer().code, -1, "his own client is his");
    wait::until("his run ends with its client", || home.processes().is_empty());
    victim.assert_unhurt();
    home.measure(&["-t", "native", "-n", "3"]);
}
