//! Containers: what is seen of their start, what is left of them, and what is said where there is no engine.

use nix::sys::signal::Signal;
use wbd_model::host::{Diagnosis, Grade};
use wbd_model::request::TargetList;
use wbd_model::{Experiment, InstantName as I, Metric};
use wbd_tests::client::Client;
use wbd_tests::daemon::assert_nothing_left;
use wbd_tests::docker::{containers, docker, process, require};
use wbd_tests::documents::{assert_in_order, cell, metric, ns, p50};
use wbd_tests::user::User;
use wbd_tests::{Daemon, Home, process, wait};

/// The instants of a container's run, in order.
const PATH: [I; 13] = [
    I::Launch,
    I::Created,
    I::StartSent,
    I::ShimExec,
    I::RuncExec,
    I::CgroupMade,
    I::NamespacesMade,
    I::Exec,
    I::FirstUser,
    I::Entry,
    I::Guest,
    I::Exit,
    I::WaitReturned,
];
/// A run that lasts for minutes.
const LONG: [&str; 7] = [
    "-t",
    "docker",
    "-w",
    "fannkuchredux",
    "--size",
    "seed",
    "--warmup",
];

/// A client whose container computes.
fn in_a_long_run(home: &Home) -> Client {
    let client = home.begin(&[&["run"], &LONG[..], &["0", "-n", "3"]].concat());
    wait::until("the container computes", || {
        process(home, "fannkuchredux").is_some()
    });
    assert_eq!(containers(home).len(), 1);
    client
}

/// Docker's own client as a plain command: the program it runs is seen in a container that is none of ours. Needs root
/// and Docker.
#[test]
fn the_guest_of_dockers_own_client_is_the_program_in_its_container() {
    require();
    let home = Home::new();
    let _wbd = home.start();
    let ours = home.measure(&["-t", "docker", "-w", "empty", "-n", "1"]);
    let listed = docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).expect(0);
    let image = listed
        .stdout
        .lines()
        .find(|image| image.contains("empty"))
        .expect("an image of ours");
    let made = home.measure(&["-n", "3", "--warmup", "0", "--", "docker", "run", "--rm", image]);
    for sample in &made.cells[0].samples {
        let path = [
            I::Launch,
            I::Exec,
            I::FirstUser,
            I::Entry,
            I::ShimExec,
            I::RuncExec,
            I::CgroupMade,
            I::NamespacesMade,
            I::Guest,
            I::Exit,
        ];
        assert_in_order(sample, &path);
    }
    let (client, direct) = (
        p50(&made.cells[0], Metric::Startup),
        p50(&ours.cells[0], Metric::Startup),
    );
    assert!(
        (direct / 3..direct * 6).contains(&client),
        "{client} ns by the client, {direct} without it"
    );
}

/// Needs root and Docker.
#[test]
fn docker_runs_have_every_instant_of_a_containers_path_in_order() {
    require();
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "docker", "-w", "empty", "-n", "5"]);
    assert_eq!(made.cells[0].valid, 5);
    for sample in &made.cells[0].samples {
        assert_in_order(sample, &PATH);
        let between = |from, to| ns(sample, to) - ns(sample, from);
        assert_eq!(metric(sample, Metric::Startup), between(I::Launch, I::Guest));
        assert_eq!(metric(sample, Metric::StartOnly), between(I::StartSent, I::Guest));
        assert_eq!(metric(sample, Metric::Execution), between(I::Guest, I::Exit));
        assert_eq!(metric(sample, Metric::Wall), between(I::Launch, I::Exit));
        assert!(
            metric(sample, Metric::RssPeak) < 2_500_000,
            "the engine's memory is not the program's"
        );
        assert!(metric(sample, Metric::CgroupPeak) > 0);
    }
    assert_eq!(
        containers(&home),
        [""; 0],
        "containers are left between experiments"
    );
}

/// The same program in the same run has the same work to do. Needs root and Docker.
#[test]
fn docker_executes_a_program_as_fast_as_it_runs_natively_and_prints_the_same() {
    require();
    let home = Home::new();
    let _wbd = home.start();
    let line = ["-t", "native", "-t", "docker", "-w", "fasta", "-n", "5"];
    let made = home.measure(&line);
    let [native, docker] = ["native", "docker"].map(|target| cell(&made, target));
    assert_eq!(p50(native, Metric::OutputBytes), p50(docker, Metric::OutputBytes));
    let [slow, fast] = [docker, native].map(|cell| p50(cell, Metric::CpuTime) as f64);
    assert!(
        (0.5..2.0).contains(&(slow / fast)),
        "native {fast} ns of CPU, in a container {slow} ns"
    );
    assert!(p50(docker, Metric::Startup) > 10 * p50(native, Metric::Startup));
}

/// Needs root and Docker.
#[test]
fn docker_runs_a_program_as_the_caller() {
    require();
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let _client = home.begin_as(&nobody, &[&["run"], &LONG[..], &["0"]].concat());
    let pid = wait::until_some("the container computes", || process(&home, "fannkuchredux"));
    let status = process::status(pid);
    for (field, value) in [
        ("Uid", "65534 65534 65534 65534"),
        ("Gid", "65534 65534 65534 65534"),
        ("CapPrm", "0000000000000000"),
        ("CapEff", "0000000000000000"),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
}

/// Needs root and Docker.
#[test]
fn docker_containers_are_ended_at_the_time_limit() {
    require();
    let home = Home::new();
    let _wbd = home.start();
    let made = home.fail(&[&LONG[..], &["0", "-n", "1", "--time-limit", "2"]].concat());
    let run = &made.cells[0].samples[0];
    assert!(!run.valid && run.notes[0].contains("2 s"), "{run:?}");
    assert_eq!(containers(&home), [""; 0]);
    assert_eq!(process(&home, "fannkuchredux"), None);
}

/// Needs root and Docker.
#[test]
fn docker_containers_go_with_their_client() {
    require();
    let home = Home::new();
    let _wbd = home.start();
    let client = in_a_long_run(&home);
    client.signal(Signal::SIGINT);
    wait::until("the container is gone", || containers(&home).is_empty());
    assert_eq!(process(&home, "fannkuchredux"), None);
}

/// Needs root and Docker.
#[test]
fn docker_containers_go_with_the_daemon() {
    require();
    let home = Home::new();
    let wbd = home.start();
    let _client = in_a_long_run(&home);
    wbd.stop();
    assert_eq!(containers(&home), [""; 0]);
    assert_eq!(process(&home, "fannkuchredux"), None);
}

/// Needs root and Docker.
#[test]
fn docker_containers_of_a_daemon_killed_in_a_run_are_removed_by_the_next() {
    require();
    let home = Home::new();
    let wbd = home.start();
    let _client = in_a_long_run(&home);
    let held = wbd.kill();
    assert_eq!(containers(&home).len(), 1, "who removed it?");
    let wbd = home.start();
    assert_eq!(containers(&home), [""; 0]);
    assert_eq!(process(&home, "fannkuchredux"), None);
    assert_eq!(home.measure(&["-t", "docker", "-n", "2"]).cells[0].valid, 2);
    wbd.stop();
    assert_nothing_left(&home, &held);
}

/// Needs root and Docker.
#[test]
fn docker_images_that_were_removed_are_made_again() {
    require();
    let home = Home::new();
    let _wbd = home.start();
    let _ = home.measure(&["-t", "docker", "-n", "1"]);
    let images = docker(&["images", "--quiet", "--filter", "reference=wbd/empty"])
        .expect(0)
        .stdout;
    let images: Vec<&str> = images.lines().collect();
    assert!(!images.is_empty(), "no image of the workload is there");
    docker(&[&["rmi", "--force"], images.as_slice()].concat()).expect(0);
    assert_eq!(home.measure(&["-t", "docker", "-n", "2"]).cells[0].valid, 2);
}

/// A daemon that looks for the engine where none is.
fn without_docker(home: &Home) -> Daemon<'_> {
    let nowhere = format!("unix://{}", home.text("no-docker.sock"));
    Daemon::start(home, home.wbd().env("DOCKER_HOST", nowhere))
}

/// Needs root.
#[test]
fn without_docker_its_cells_say_why_and_the_rest_runs() {
    let home = Home::new();
    let _wbd = without_docker(&home);
    let answer = home
        .wbctl(&["--json", "run", "-t", "native", "-t", "docker", "-n", "3"])
        .expect(0);
    let made: Experiment = answer.json();
    assert_eq!(cell(&made, "native").valid, 3);
    let docker = cell(&made, "docker");
    assert_eq!((docker.valid, docker.failed, docker.metrics.len()), (0, 0, 0));
    let why = &docker.unavailable[&Metric::Startup];
    assert!(
        why.contains("no-docker.sock") && why.contains("start dockerd"),
        "{why}"
    );
    let drawn = home.wbctl(&["show", "latest"]).expect(0).stdout;
    assert!(drawn.contains("no-docker.sock"), "{drawn}");
    home.wbctl(&["run", "-t", "docker"])
        .expect(4)
        .saying(&["no-docker.sock", "start dockerd"]);
}

/// Needs root.
#[test]
fn without_docker_targets_and_doctor_say_why_and_what_to_do() {
    let home = Home::new();
    let _wbd = without_docker(&home);
    let targets = home
        .wbctl(&["--json", "targets"])
        .expect(0)
        .json::<TargetList>()
        .targets;
    let docker = targets.iter().find(|target| target.name == "docker").unwrap();
    let unavailable = docker.unavailable.as_ref().expect("it is unavailable");
    assert!(unavailable.why.contains("no-docker.sock"), "{unavailable:?}");
    assert!(unavailable.mend.contains("start dockerd"), "{unavailable:?}");
    let diagnosis: Diagnosis = home.wbctl(&["--json", "doctor"]).expect(0).json();
    let check = diagnosis
        .checks
        .iter()
        .find(|check| check.name.contains("container"))
        .unwrap();
    assert_eq!(check.grade, Grade::Missing, "{check:?}");
    assert!(check.mend.is_some(), "{check:?}");
}

/// Ticks of 10 ms that a process has used, with the children it has waited for, as `/proc` counts them.
fn cpu_ticks(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11..15]
        .iter()
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum()
}

/// The CPU time of dockerd is held against the kernel's own account of it. Needs root and Docker.
#[test]
fn docker_costs_are_told_process_by_process_and_dockerds_is_the_kernels_account_of_it() {
    require();
    let home = Home::new();
    let _wbd = home.start();
    let found = std::process::Command::new("pidof")
        .arg("dockerd")
        .output()
        .unwrap();
    let pids = String::from_utf8(found.stdout).unwrap();
    let before: u64 = pids.split_whitespace().map(cpu_ticks).sum();
    let made = home.measure(&["-t", "docker", "-w", "empty", "-n", "8", "--warmup", "0"]);
    let after: u64 = pids.split_whitespace().map(cpu_ticks).sum();
    let samples = &made.cells[0].samples;
    let all = |of| samples.iter().map(|sample| metric(sample, of)).sum::<u64>();
    let account = (after - before) * 10_000_000;
    let dockerd = all(Metric::DockerdCpu);
    // Between runs it does other things; ticks are rounded for each child.
    assert!(
        dockerd > account / 2 && dockerd < account + account / 5,
        "{dockerd} {account}"
    );
    for sample in samples {
        let of = |name| metric(sample, name);
        assert!((4 << 20..64 << 20).contains(&of(Metric::ShimRss)), "{sample:#?}");
        assert!(
            of(Metric::ShimCpu) > 1_000_000 && of(Metric::RuncCpu) > 5_000_000,
            "{sample:#?}"
        );
        assert!(of(Metric::ContainerdCpu) > 100_000, "{sample:#?}");
        assert!(of(Metric::ContainerRest) < of(Metric::CgroupPeak), "{sample:#?}");
    }
    assert!(made.cells[0].metrics.contains_key(&Metric::EngineGrowth));
}
