//! What one user can learn of another's: nothing.

use std::fs;
use std::path::PathBuf;

use wbd_model::request::ExperimentList;
use wbd_tests::client::Client;
use wbd_tests::user::User;
use wbd_tests::wait::until;
use wbd_tests::{Answer, Home};

const ONCE: [&str; 4] = ["-n", "1", "--warmup", "0"];

/// Needs root.
#[test]
fn who_is_not_in_the_sockets_group_is_told_so() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let stranger = User {
        groups: vec![64_099],
        ..User::nobody()
    };
    home.wbctl_as(&stranger, &["list"])
        .expect(3)
        .saying(&["may not open", "group wbd"]);
}

/// Needs root.
#[test]
fn experiments_of_others_can_be_neither_seen_nor_removed() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let (nobody, somebody) = (User::nobody(), User::somebody());
    home.admit(&nobody);
    let roots = home.measure(&["-t", "native", "-n", "2"]).experiment;
    home.wbctl_as(&nobody, &["run", "-t", "native", "-n", "2"])
        .expect(0);
    let names = |answer: Answer| -> Vec<String> {
        let list = answer.expect(0).json::<ExperimentList>();
        list.experiments.into_iter().map(|line| line.experiment).collect()
    };
    let nobodys = names(home.wbctl_as(&nobody, &["--json", "list"]));
    assert_eq!(nobodys.len(), 1);
    assert!(!nobodys.contains(&roots));
    for stranger_to_it in [&roots, &nobodys[0], "latest"] {
        for command in [
            &["show"][..],
            &["rm"],
            &["hist"],
            &["timeline"],
            &["export", "--format", "csv"],
        ] {
            let line = [command, &[stranger_to_it]].concat();
            home.wbctl_as(&somebody, &line)
                .expect(2)
                .saying(&["no experiment is called"]);
        }
    }
    assert_eq!(
        names(home.wbctl(&["--json", "list"])),
        [nobodys[0].clone(), roots]
    );
}

/// The machine code of a private module is as private as the module. Needs root.
#[test]
fn code_made_of_somebodys_own_module_is_for_their_eyes_only() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let (nobody, somebody) = (User::nobody(), User::somebody());
    home.admit(&nobody);
    let module = home.private_program("spin.wasm", &nobody);
    let line = [
        &["run", "-t", "wasmtime-aot"],
        &ONCE[..],
        &["--wasm", &module, "--", "60000"],
    ]
    .concat();
    let _client = home.begin_as(&nobody, &line);
    let folder = home.state().join("code");
    let code = || -> Vec<PathBuf> {
        fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .collect()
    };
    until("the module's code is there", || code().len() == 1);
    let own = code();
    let mut peep = somebody.command("head");
    let peep = Client::spawn(peep.args(["-c", "4"]).arg(&own[0])).answer();
    assert!(
        peep.code != 0 && peep.stderr.contains("Permission denied"),
        "{peep:?}"
    );
}

/// Needs root.
#[test]
fn the_store_is_the_daemons_alone() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    home.measure(&["-t", "native", "-n", "1"]);
    for path in [
        home.state(),
        home.state().join("wbd.db"),
        home.state().join("wbd.db-wal"),
    ] {
        let mut look = User::nobody().command("ls");
        let seen = Client::spawn(look.arg("-d").arg(path.join("."))).answer();
        let mut read = User::nobody().command("cat");
        let read = Client::spawn(read.arg(&path)).answer();
        assert_ne!(read.code, 0, "{} can be read: {seen:?}", path.display());
    }
}
