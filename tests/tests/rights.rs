//! Whose rights a target runs with, and what one user can learn of another's.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;

use tonic::Code;
use wbd_model::request::ExperimentList;
use wbd_model::{Exit, Metric, RunRequest};
use wbd_tests::client::Client;
use wbd_tests::user::User;
use wbd_tests::{Answer, Home, process, wait};

const RAW_CLIENT: &str = env!("CARGO_BIN_EXE_raw-client");
const BOTH: [&str; 4] = ["-t", "wasmtime-jit", "-t", "wasmtime-aot"];
const ONCE: [&str; 4] = ["-n", "1", "--warmup", "0"];

/// The only process of a run, once it is there.
#[track_caller]
fn target(home: &Home) -> u32 {
    wait::until_some("the target runs", || home.processes().first().copied())
}

/// Sends `request` as `user`, past `wbctl` and its checks.
#[track_caller]
fn send(home: &Home, user: &User, request: &RunRequest) -> Answer {
    let client = home.text("dist/bin/raw-client");
    fs::copy(RAW_CLIENT, &client).unwrap();
    let request = serde_json::to_string(request).unwrap();
    let mut command = user.command(&client);
    Client::spawn(command.arg(home.socket()).arg(request)).answer()
}

/// A request that is in order.
fn request() -> RunRequest {
    RunRequest {
        runs: 1,
        cwd: "/".into(),
        time_limit_ms: 10_000,
        ..RunRequest::default()
    }
}

/// A module that nobody but `owner` may read.
fn private_module(home: &Home, name: &str, owner: &User) -> String {
    let module = home.program(name);
    chown(&module, Some(owner.uid), Some(owner.gid)).unwrap();
    fs::set_permissions(&module, Permissions::from_mode(0o600)).unwrap();
    module
}

/// Needs root.
#[test]
fn a_command_runs_as_the_caller_with_three_descriptors_and_no_way_up() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let _client = home.begin_as(&nobody, &["run", "-n", "1", "--", &home.program("hang")]);
    let pid = target(&home);
    let status = process::status(pid);
    for (field, value) in [
        ("Uid", "65534 65534 65534 65534"),
        ("Gid", "65534 65534 65534 65534"),
        ("Groups", "64001 64002"),
        ("NoNewPrivs", "1"),
        ("CapInh", "0000000000000000"),
        ("CapPrm", "0000000000000000"),
        ("CapEff", "0000000000000000"),
        ("CapAmb", "0000000000000000"),
        ("SigBlk", "0000000000000000"),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
    let open = process::descriptors(pid);
    assert_eq!(open.keys().copied().collect::<Vec<u32>>(), [0, 1, 2], "{open:?}");
    assert_eq!(open[&0], PathBuf::from("/dev/null"));
}

/// As in a shell. Needs root.
#[test]
fn a_command_has_the_callers_directory_and_environment() {
    let home = Home::new();
    let _wbd = home.start();
    let hang = home.program("hang");
    let mut wbctl = home.wbctl_command(&["run", "-n", "1", "--", &hang]);
    let _client = Client::spawn(wbctl.env_clear().env("GREETING", "good day"));
    let pid = target(&home);
    assert_eq!(process::environment(pid), ["GREETING=good day"]);
    assert_eq!(
        fs::read_link(format!("/proc/{pid}/cwd")).unwrap(),
        home.path("").canonicalize().unwrap()
    );
}

/// Needs root.
#[test]
fn a_workload_gets_no_environment_and_only_its_arguments() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let _client = home.begin_as(
        &nobody,
        &["run", "-t", "native", "-w", "fannkuchredux", "--size", "seed"],
    );
    let pid = target(&home);
    assert_eq!(process::environment(pid), [""; 0]);
    assert_eq!(process::status(pid)["Uid"], "65534 65534 65534 65534");
    assert_eq!(process::descriptors(pid).len(), 3);
    assert_eq!(
        fs::read_link(format!("/proc/{pid}/cwd")).unwrap(),
        PathBuf::from("/")
    );
}

/// Needs root.
#[test]
fn a_setuid_program_gives_nobody_more() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let hang = home.program("hang");
    fs::set_permissions(&hang, Permissions::from_mode(0o4755)).unwrap();
    let _client = home.begin_as(&nobody, &["run", "-n", "1", "--", &hang]);
    assert_eq!(process::status(target(&home))["Uid"], "65534 65534 65534 65534");
}

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

/// Past the client's own check, the daemon must refuse by itself. Needs root.
#[test]
fn a_module_that_only_root_can_read_is_not_read_for_nobody() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let module = private_module(
        &home,
        "flood.wasm",
        &User {
            uid: 0,
            gid: 0,
            groups: vec![],
        },
    );
    let line = ["run", "-t", "wasmtime-jit", "--wasm", &module];
    home.wbctl_as(&nobody, &line)
        .expect(2)
        .saying(&[&module, "Permission denied"]);
    for target in ["wasmtime-jit", "wasmtime-aot"] {
        let request = RunRequest {
            targets: vec![target.into()],
            wasm: Some(module.clone().into()),
            command: vec!["10".into()],
            ..request()
        };
        let answer = send(&home, &nobody, &request);
        assert!(
            answer.stdout.contains("ermission denied") || answer.stderr.contains("ermission denied"),
            "{answer:#?}"
        );
        assert!(!answer.stdout.contains("\"valid\":1"), "{answer:#?}");
    }
}

/// Needs root.
#[test]
fn a_module_that_a_group_of_the_caller_can_read_is_read() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let module = home.program("exit_code.wasm");
    chown(&module, Some(0), Some(nobody.groups[1])).unwrap();
    fs::set_permissions(&module, Permissions::from_mode(0o640)).unwrap();
    let line = [&["run"], &BOTH[..], &ONCE, &["--wasm", &module, "--", "0"]].concat();
    home.wbctl_as(&nobody, &line).expect(0);
}

/// The machine code of a private module is as private as the module. Needs root.
#[test]
fn code_made_of_somebodys_own_module_is_for_their_eyes_only() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let (nobody, somebody) = (User::nobody(), User::somebody());
    home.admit(&nobody);
    let module = private_module(&home, "spin.wasm", &nobody);
    let line = [
        &["run", "-t", "wasmtime-aot"],
        &ONCE[..],
        &["--wasm", &module, "--", "60000"],
    ]
    .concat();
    let _client = home.begin_as(&nobody, &line);
    target(&home);
    let code = fs::read_dir(home.state().join("code")).unwrap().flatten();
    let own: Vec<PathBuf> = code.map(|entry| entry.path()).collect();
    assert_eq!(own.len(), 1, "{own:?}");
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

/// Needs root.
#[test]
fn a_program_that_the_caller_may_not_execute_is_not_executed_for_them() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let noop = home.program("noop");
    fs::set_permissions(&noop, Permissions::from_mode(0o700)).unwrap();
    let command = RunRequest {
        command: vec![noop],
        ..request()
    };
    send(&home, &nobody, &command).expect(0);
    let made = home.show("latest");
    let run = &made.cells[0].samples[0];
    assert!(matches!(run.exit, Exit::NotStarted(_)), "{run:?}");
    assert!(
        run.notes[0].contains("not executable for this user"),
        "{:?}",
        run.notes
    );
}

/// Needs root.
#[test]
fn a_directory_that_the_caller_may_not_enter_is_not_entered_for_them() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let hidden = home.path("hidden");
    fs::create_dir(&hidden).unwrap();
    fs::set_permissions(&hidden, Permissions::from_mode(0o700)).unwrap();
    let command = RunRequest {
        command: vec![home.program("noop")],
        cwd: hidden,
        ..request()
    };
    send(&home, &nobody, &command).expect(0);
    let made = home.show("latest");
    assert!(
        made.cells[0]
            .failures
            .keys()
            .any(|reason| reason.contains("working directory")),
        "{made:#?}"
    );
}

/// Needs root.
#[test]
fn requests_that_make_no_sense_are_refused_and_the_daemon_lives() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let native = || RunRequest {
        targets: vec!["native".into()],
        workloads: vec!["empty".into()],
        ..request()
    };
    let command = |path: &str| RunRequest {
        command: vec![path.into()],
        ..request()
    };
    for (what, request) in [
        ("nothing", request()),
        ("no run", RunRequest { runs: 0, ..native() }),
        (
            "too many runs",
            RunRequest {
                runs: u32::MAX,
                ..native()
            },
        ),
        (
            "too many warm-ups",
            RunRequest {
                warmup: u32::MAX,
                ..native()
            },
        ),
        (
            "no time",
            RunRequest {
                time_limit_ms: 0,
                ..native()
            },
        ),
        (
            "an unknown target",
            RunRequest {
                targets: vec!["../native".into()],
                ..native()
            },
        ),
        (
            "a workload elsewhere",
            RunRequest {
                workloads: vec!["../workloads/empty".into()],
                ..native()
            },
        ),
        (
            "an empty workload",
            RunRequest {
                workloads: vec![String::new()],
                ..native()
            },
        ),
        ("a relative program", command("noop")),
        ("a zero byte", command("/bin/tr\0ue")),
        ("an empty path", command("")),
        (
            "a relative module",
            RunRequest {
                wasm: Some("a.wasm".into()),
                ..native()
            },
        ),
        (
            "a native module",
            RunRequest {
                wasm: Some("/a.wasm".into()),
                ..native()
            },
        ),
        (
            "a command and a target",
            RunRequest {
                command: vec!["/bin/true".into()],
                ..native()
            },
        ),
    ] {
        let answer = send(&home, &nobody, &request);
        assert_eq!(answer.code, Code::InvalidArgument as i32, "{what}: {answer:#?}");
    }
    let list = home.wbctl(&["--json", "list"]).expect(0).json::<ExperimentList>();
    assert_eq!(
        list.experiments,
        [],
        "a refused request left an experiment behind"
    );
    let made = home.measure(&["-t", "native", "-n", "2"]);
    assert_eq!(made.cells[0].metrics[&Metric::Wall].n, 2);
}
