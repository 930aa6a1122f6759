//! What a hostile user may try: requests that the client would never send, and targets that reach for the daemon.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tonic::Code;
use wbd_model::request::ExperimentList;
use wbd_model::{Exit, Metric, Preopen, RunRequest, Suite};
use wbd_tests::client::Client;
use wbd_tests::user::User;
use wbd_tests::{Answer, Home, process, targets, wait};

const RAW_CLIENT: &str = env!("CARGO_BIN_EXE_raw-client");

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
        memory_limit_mib: 1024,
        ..RunRequest::default()
    }
}

/// Past the client's own check, the daemon must refuse by itself. Needs root.
#[test]
fn a_module_that_only_root_can_read_is_not_read_for_nobody() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let module = home.private_program("flood.wasm", &User::root());
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

/// What a guest may use is opened by its runner, which has nobody's rights. Needs root.
#[test]
fn a_directory_that_the_caller_may_not_read_is_not_given_to_their_guest() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let hidden = home.path("hidden");
    fs::create_dir(&hidden).unwrap();
    let _secret = home.file("hidden/secret", "secret", 0o644);
    let module = home.program("open_file.wasm");
    let all = targets::wasm(&home);
    for (mode, counts) in [(0o700, 0), (0o755, 1)] {
        fs::set_permissions(&hidden, Permissions::from_mode(mode)).unwrap();
        let given = RunRequest {
            targets: all.iter().map(|target| target.name.clone()).collect(),
            wasm: Some(module.clone().into()),
            command: ["/given/secret", "r"].map(str::to_owned).into(),
            dirs: vec![Preopen {
                host: home.text("hidden"),
                guest: "/given".into(),
            }],
            ..request()
        };
        send(&home, &nobody, &given).expect(0);
        for cell in home.show("latest").cells {
            assert_eq!(cell.valid, counts, "{mode:o}: {cell:#?}");
        }
    }
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
            "a directory without a module",
            RunRequest {
                dirs: vec![Preopen {
                    host: "/".into(),
                    guest: "/".into(),
                }],
                ..native()
            },
        ),
        (
            "a directory that becomes another one",
            RunRequest {
                wasm: Some("/a.wasm".into()),
                dirs: vec![Preopen {
                    host: "/etc::/".into(),
                    guest: "x".into(),
                }],
                ..request()
            },
        ),
        (
            "a suite of a command",
            RunRequest {
                suite: Some(Suite::Seed),
                ..command("/bin/true")
            },
        ),
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
            "no room",
            RunRequest {
                memory_limit_mib: 0,
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

/// Who could open the terminal that the daemon was started from could type commands into it, as root.
///
/// Needs root.
#[test]
fn a_target_cannot_reach_the_terminal_of_the_daemon() {
    let home = Home::with_dist_for_everyone();
    let wbd = home.wbd();
    let words = std::iter::once(wbd.get_program()).chain(wbd.get_args());
    let line: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let terminal = Client::spawn(Command::new("script").args(["-qec", &line.join(" "), "/dev/null"]));
    wait::until("the daemon listens", || home.wbctl(&["list"]).code == 0);
    let wbd = process::below(&home.path("dist/bin"))[0];
    assert_ne!(process::terminal(wbd), 0, "the daemon has a terminal");
    let script = "#!/bin/sh\nif (exec 3</dev/tty); then exit 9; fi\n";
    home.measure(&["-n", "1", "--", &home.file("script", script, 0o755)]);
    kill(Pid::from_raw(wbd.cast_signed()), Signal::SIGTERM).unwrap();
    terminal.answer().expect(0);
}
