//! Docker, as its own client shows it.

use std::process::Command;

use crate::client::Client;

/// The label of every container that wbd makes.
pub const LABEL: &str = "wbd=1";

/// Asks the engine.
///
/// # Panics
/// Where it refuses.
#[must_use]
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    Client::spawn(Command::new("docker").args(arguments))
        .answer()
        .expect(0)
        .stdout
}

/// Fails where no engine answers: `cargo xtask test` starts one.
///
/// # Panics
/// Where no engine answers.
#[track_caller]
pub fn require() {
    let answer =
        Client::spawn(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"])).answer();
    assert_eq!(
        answer.code, 0,
        "this test needs Docker; start dockerd: {answer:#?}"
    );
}

/// Containers of wbd, running or not.
#[must_use]
pub fn containers() -> Vec<String> {
    let listed = docker(&["ps", "--all", "--quiet", "--filter", &format!("label={LABEL}")]);
    listed.lines().map(str::to_owned).collect()
}
