//! Docker, as its own client shows it.

use std::process::Command;

use crate::client::Client;
use crate::remains::instance;
use crate::{Answer, Home, process};

/// What the engine answers.
#[track_caller]
pub fn docker(arguments: &[&str]) -> Answer {
    Client::spawn(Command::new("docker").args(arguments)).answer()
}

/// Fails where no engine answers: `cargo xtask test` starts one.
///
/// # Panics
/// Where no engine answers.
#[track_caller]
pub fn require() {
    let answer = docker(&["version", "--format", "{{.Server.Version}}"]);
    assert_eq!(
        answer.code, 0,
        "this test needs Docker: start dockerd: {answer:#?}"
    );
}

/// Containers of a place's daemon, running or not.
#[must_use]
#[track_caller]
pub fn containers(home: &Home) -> Vec<String> {
    let owner = format!("label=wbd.owner={}", instance(&home.state()));
    let listed = docker(&[
        "ps",
        "--all",
        "--quiet",
        "--filter",
        "label=wbd=1",
        "--filter",
        &owner,
    ])
    .expect(0);
    listed.stdout.lines().map(str::to_owned).collect()
}

/// The process of a container of a place's daemon that runs `program`.
#[must_use]
pub fn process(home: &Home, program: &str) -> Option<u32> {
    let inside = process::in_cgroup(&format!("/wbd/{}/", instance(&home.state())));
    let runs = |pid: &u32| process::program(*pid).is_some_and(|path| path.ends_with(program));
    inside.into_iter().find(runs)
}
