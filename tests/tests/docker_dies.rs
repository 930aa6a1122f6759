//! A container engine that dies while a container runs: the run does not count and says why, nothing of it is left, and
//! the daemon measures on, also in containers once the engine is back.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wbd_model::Experiment;
use wbd_tests::client::Client;
use wbd_tests::docker::{docker, process};
use wbd_tests::engine::Engine;
use wbd_tests::remains::instance;
use wbd_tests::{Daemon, Home, wait};

const LONG: [&str; 10] = [
    "--json",
    "run",
    "-t",
    "docker",
    "-w",
    "fannkuchredux",
    "--size",
    "seed",
    "--warmup",
    "0",
];

fn with(engine: &Engine, home: &Home) -> Vec<String> {
    let owner = format!("label=wbd.owner={}", instance(&home.state()));
    let listed = docker(&["-H", &engine.host(), "ps", "--all", "--quiet", "--filter", &owner]);
    listed.expect(0).stdout.lines().map(str::to_owned).collect()
}

/// A client whose container computes, two runs of minutes each.
fn in_a_long_run(home: &Home) -> Client {
    let client = home.begin(&[&LONG[..], &["-n", "2"]].concat());
    wait::until("the container computes", || {
        process(home, "fannkuchredux").is_some()
    });
    client
}

/// Checks that nothing of a run is left but what an engine that is dead keeps in its files.
#[track_caller]
fn assert_gone(home: &Home, wbd: &Daemon<'_>) {
    wait::until("the container's program is ended", || {
        process(home, "fannkuchredux").is_none()
    });
    wait::until("the run's cgroups are gone", || wbd.holds().runs().is_empty());
    home.measure(&["-t", "native", "-n", "2"]);
}

/// Needs root and Docker.
#[test]
fn docker_that_dies_in_a_run_costs_its_runs_and_nothing_else() {
    let (home, mut engine) = (Home::new(), Engine::start());
    let wbd = Daemon::start(&home, home.wbd().env("DOCKER_HOST", engine.host()));
    let client = in_a_long_run(&home);
    engine.kill();
    let made: Experiment = client.answer().expect(1).json();
    assert_eq!((made.cells[0].valid, made.cells[0].failed), (0, 2));
    let reasons: Vec<&String> = made.cells[0].failures.keys().collect();
    assert!(
        reasons
            .iter()
            .all(|reason| reason.contains("see whether dockerd was stopped")),
        "{reasons:?}"
    );
    assert_gone(&home, &wbd);
    engine.restart();
    let again = home.measure(&["-t", "docker", "-w", "empty", "-n", "2"]);
    assert_eq!(again.cells[0].valid, 2);
    assert_eq!(
        with(&engine, &home),
        [""; 0],
        "a container of the dead engine's is left"
    );
}

/// Needs root and Docker.
#[test]
fn docker_whose_shim_dies_in_a_run_costs_that_run_and_nothing_else() {
    let (home, engine) = (Home::new(), Engine::start());
    let wbd = Daemon::start(&home, home.wbd().env("DOCKER_HOST", engine.host()));
    let client = home.begin(&[&LONG[..], &["-n", "1"]].concat());
    wait::until("the container computes", || {
        process(&home, "fannkuchredux").is_some()
    });
    for shim in engine.processes("containerd-shim") {
        kill(Pid::from_raw(shim.cast_signed()), Signal::SIGKILL).unwrap();
    }
    let made: Experiment = client.answer().expect(1).json();
    assert_eq!((made.cells[0].valid, made.cells[0].failed), (0, 1));
    assert_gone(&home, &wbd);
    assert_eq!(
        home.measure(&["-t", "docker", "-w", "empty", "-n", "2"]).cells[0].valid,
        2
    );
    assert_eq!(with(&engine, &home), [""; 0]);
}
