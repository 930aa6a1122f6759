//! `kill -9` of the daemon at moments that nobody chose: it loses at most the run in flight, and the next daemon of the
//! same state directory takes away what its predecessor left, and nothing else.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;
use wbd_model::document::State;
use wbd_model::request::ExperimentList;
use wbd_tests::client::Client;
use wbd_tests::daemon::assert_nothing_left;
use wbd_tests::decoy::Decoys;
use wbd_tests::docker::{containers, docker, require};
use wbd_tests::{Daemon, Home, wait};

/// Moments at which a daemon is killed.
const MOMENTS: u32 = 24;
/// The same with containers, which take longer.
const MOMENTS_OF_CONTAINERS: u32 = 5;

/// A moment within `span`, another one each time.
fn moment(span: Duration) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // The low digits of the time are nobody's choice; multiplied, they are spread evenly.
    let spread = now.subsec_nanos().wrapping_mul(2_654_435_761);
    span.mul_f64(f64::from(spread) / f64::from(u32::MAX))
}

/// The newest experiment's name, if there is any, and all names there are.
fn newest(home: &Home) -> Option<String> {
    let list = home.wbctl(&["--json", "list"]).expect(0).json::<ExperimentList>();
    list.experiments.first().map(|line| line.experiment.clone())
}

/// Runs that the store has of an experiment, each of which counts, in an unbroken row.
fn recorded(home: &Home, experiment: &str) -> usize {
    let shown = home.show(experiment);
    assert!(
        [State::Interrupted, State::Done].contains(&shown.state),
        "{shown:#?}"
    );
    let samples = &shown.cells[0].samples;
    assert!(samples.iter().all(|sample| sample.valid), "{samples:#?}");
    let order: Vec<u32> = samples.iter().map(|sample| sample.run).collect();
    assert_eq!(order, (0..order.len() as u32).collect::<Vec<_>>());
    samples.len()
}

/// Kills a daemon in or near an experiment whose runs each leave a line in a file; the runs that began, by that file,
/// and those that are recorded.
fn kill_one(home: &Home, number: u32, decoys: &mut Decoys) -> (usize, usize) {
    let file = home.text(&format!("begun-{number}"));
    let wbd = home.start();
    let before = newest(home);
    let runs = ["10", "100", "100000"][number as usize % 3]; // over, perhaps over, under way
    let clock = home.program("clock");
    let client = home.begin(&["run", "-n", runs, "--warmup", "0", "--", &clock, &file]);
    sleep(moment(Duration::from_millis(600)));
    let held = wbd.kill();
    drop(client);
    let wbd = home.start();
    assert_eq!(home.processes(), [0; 0], "a run lives on");
    assert!(held.runs().is_empty(), "cgroups are left: {:?}", held.runs());
    decoys.assert_there();
    let begun = fs::read_to_string(&file).unwrap_or_default().lines().count();
    let after = newest(home);
    let recorded = if after == before {
        0
    } else {
        recorded(home, after.as_deref().unwrap())
    };
    wbd.stop();
    assert_nothing_left(home, &held);
    (begun, recorded)
}

/// Needs root.
#[test]
fn a_daemon_killed_at_any_moment_loses_at_most_the_run_in_flight_and_leaves_nothing() {
    let home = Home::new();
    let elsewhere = Home::new();
    let wbd = home.start();
    home.measure(&["-t", "native", "-n", "1"]);
    let mut decoys = Decoys::plant(&home, &elsewhere.program("hang"));
    wbd.stop();
    decoys.assert_there();
    let mut in_the_middle = 0;
    for number in 0..MOMENTS {
        let (begun, recorded) = kill_one(&home, number, &mut decoys);
        assert!(
            recorded == begun || recorded + 1 == begun,
            "kill {number}: {begun} runs began, {recorded} are recorded"
        );
        in_the_middle += u32::from(begun > 0 && begun != 10 && begun != 100);
    }
    assert!(in_the_middle > 0, "no kill met an experiment under way");
    let wbd = home.start();
    assert_eq!(home.measure(&["-t", "native", "-n", "3"]).cells[0].valid, 3);
    wbd.stop();
}

/// Bytes are changed all over the database while no daemon runs: what it answers is as it was, or that it is damaged.
/// Needs root.
#[test]
fn a_store_with_changed_pages_is_told_and_the_daemon_lives_or_refuses_to_start() {
    let home = Home::new();
    let wbd = home.start();
    let sound = home.measure(&["-n", "300", "--", &home.program("noop")]);
    wbd.stop();
    let file = home.state().join("wbd.db");
    let bytes = fs::read(&file).unwrap();
    for page in (0..bytes.len() / 4096).step_by(bytes.len() / 4096 / 6 + 1) {
        let mut changed = bytes.clone();
        changed[page * 4096..][..4096]
            .iter_mut()
            .for_each(|byte| *byte ^= 0x5a);
        fs::write(&file, changed).unwrap();
        if !starts_or_refuses(&home) {
            continue;
        }
        let wbd = home.start();
        for line in [
            &["--json", "show", "latest", "--runs"][..],
            &["list"],
            &["run", "-t", "native", "-n", "1"],
        ] {
            let answer = home.wbctl(line);
            assert!(
                answer.code == 0 || answer.stderr.contains("damaged"),
                "page {page}: {answer:#?}"
            );
        }
        wbd.stop();
    }
    fs::write(&file, bytes).unwrap();
    let _wbd = home.start();
    assert_eq!(home.show(&sound.experiment), sound);
}

/// Whether a daemon starts; one that does not says what is damaged.
fn starts_or_refuses(home: &Home) -> bool {
    let mut wbd = Client::spawn(&mut home.wbd());
    wait::until("it listens or refuses", || {
        home.socket().exists() || !wbd.is_busy()
    });
    if wbd.is_busy() {
        wbd.signal(Signal::SIGTERM);
        wbd.answer().expect(0);
        return true;
    }
    wbd.answer().expect(1).saying(&["damaged"]);
    false
}

/// Mounts of its own, among which tracefs is not, for as long as it lives.
struct Namespace(Child);

impl Namespace {
    fn without_tracefs() -> Self {
        let script = "umount /sys/kernel/tracing 2>/dev/null; echo ready; exec sleep 1000";
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--propagation", "private", "sh", "-c", script]);
        let mut holder = unshare
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare is installed");
        let mut line = String::new();
        let said = holder.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut line).expect("it says so");
        assert_eq!(line, "ready\n");
        let namespace = Self(holder);
        assert_eq!(namespace.tracefs(), 0);
        namespace
    }

    /// How often tracefs is mounted in it.
    fn tracefs(&self) -> usize {
        let mounts = fs::read_to_string(format!("/proc/{}/mounts", self.0.id())).expect("it lives");
        mounts
            .lines()
            .filter(|line| line.contains(" /sys/kernel/tracing "))
            .count()
    }

    /// The same command in it.
    fn command(&self, inside: &Command) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.0.id()));
        command.arg(inside.get_program()).args(inside.get_args());
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it sleeps
        let _ = self.0.wait();
    }
}

/// Needs root.
#[test]
fn what_a_killed_daemon_mounted_is_unmounted_by_the_next_and_what_others_mounted_is_not() {
    let home = Home::new();
    let namespace = Namespace::without_tracefs();
    let start = || Daemon::start(&home, &mut namespace.command(&home.wbd()));
    start().kill();
    assert_eq!(namespace.tracefs(), 1, "the killed one mounted it");
    let wbd = start();
    home.measure(&["-t", "native", "-n", "1"]);
    wbd.stop();
    assert_eq!(namespace.tracefs(), 0, "the next one unmounts it");
    start().kill();
    let again = [
        "umount /sys/kernel/tracing",
        "mount -t tracefs tracefs /sys/kernel/tracing",
    ]
    .join(" && ");
    let mounted = namespace
        .command(Command::new("sh").args(["-c", &again]))
        .status();
    assert!(mounted.is_ok_and(|status| status.success()));
    start().stop();
    assert_eq!(namespace.tracefs(), 1, "it is the administrator's by now");
}

/// A container of somebody who marks his as wbd does, with a daemon's name that is nearly ours.
struct Container(String);

impl Container {
    fn of_another_daemon(image: &str) -> Self {
        let line = [
            "create",
            "--name",
            "wbd-decoy-of-a-test",
            "--label",
            "wbd=1",
            "--label",
            "wbd.owner=0123456789abcdef",
            image,
        ];
        let _ = docker(&["rm", "--force", "wbd-decoy-of-a-test"]); // of a test that was killed
        Self(docker(&line).expect(0).stdout.trim().to_owned())
    }

    fn assert_there(&self) {
        docker(&["inspect", &self.0]).expect(0);
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", &self.0]);
    }
}

/// Needs root and Docker.
#[test]
fn docker_containers_of_a_daemon_killed_at_any_moment_are_removed_and_nobody_elses() {
    require();
    let home = Home::new();
    let wbd = home.start();
    home.measure(&["-t", "docker", "-w", "empty", "-n", "1"]);
    let listed = docker(&[
        "images",
        "--format",
        "{{.Repository}}:{{.Tag}}",
        "--filter",
        "reference=wbd/empty",
    ]);
    let images = listed.expect(0).stdout;
    let decoy = Container::of_another_daemon(images.lines().next().expect("an image of the workload"));
    wbd.stop();
    for _ in 0..MOMENTS_OF_CONTAINERS {
        let wbd = home.start();
        let _client = home.begin(&["run", "-t", "docker", "-w", "empty", "--warmup", "0", "-n", "100"]);
        sleep(moment(Duration::from_millis(1500)));
        let held = wbd.kill();
        let wbd = home.start();
        // The engine may still be at work on the last request of the one that was killed: the next experiment
        // looks once more.
        assert_eq!(
            home.measure(&["-t", "docker", "-w", "empty", "-n", "1"]).cells[0].valid,
            1
        );
        wait::until("no container is left", || containers(&home).is_empty());
        decoy.assert_there();
        wbd.stop();
        assert_nothing_left(&home, &held);
    }
}
