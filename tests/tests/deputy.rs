//! Can a caller have the daemon open what they may not open themselves? Paths that change under it, paths that lead past
//! their directories, and files that are no files.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use tonic::Code;
use wbd_model::request::{Conditions, PageCache};
use wbd_model::{Metric, RunRequest};
use wbd_tests::client::Client;
use wbd_tests::user::User;
use wbd_tests::{Answer, Home, documents, process};

const ONCE: [&str; 5] = ["run", "-n", "1", "--warmup", "0"];

/// Does `work` while a link changes its mind between two files as fast as it can.
fn while_swapping(home: &Home, link: &Path, files: [&str; 2], work: impl FnOnce()) {
    let over = AtomicBool::new(false);
    let swap = || {
        for file in files.iter().cycle() {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let fresh = home.path("fresh");
            symlink(file, &fresh).expect("a folder of ours");
            fs::rename(&fresh, link).expect("a folder of ours");
        }
    };
    std::thread::scope(|scope| {
        let swapping = scope.spawn(swap);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Ordering::Relaxed);
        swapping.join().expect("it swaps");
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Bytes of a file that are in the page cache, by another tool than ours.
fn resident(file: &str) -> u64 {
    let told = Command::new("fincore")
        .args(["-bno", "RES", file])
        .output()
        .expect("fincore runs");
    String::from_utf8_lossy(&told.stdout)
        .trim()
        .parse()
        .expect("bytes")
}

/// Neither run nor compiled is what only root may read, however often the name led there when it was looked at. Needs root.
#[test]
fn a_link_that_changes_its_mind_never_leads_to_what_the_caller_may_not_read() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let own = home.program("exit_code.wasm"); // prints nothing
    let secret = home.private_program("flood.wasm", &User::root()); // prints whatever it is told to
    let link = home.path("link.wasm");
    let both = [
        "-t",
        "wasmtime-jit",
        "-t",
        "wasmtime-aot",
        "--wasm",
        "link.wasm",
        "--",
        "0",
    ];
    symlink(&own, &link).expect("a folder of ours");
    let mut ran = 0;
    while_swapping(&home, &link, [&own, &secret], || {
        for _ in 0..15 {
            let _ = home.wbctl_as(&nobody, &[&ONCE[..], &both].concat()); // may be refused, or fail
        }
    });
    let list: wbd_model::request::ExperimentList = home.wbctl(&["--json", "list"]).expect(0).json();
    for line in list.experiments {
        for sample in home
            .show(&line.experiment)
            .cells
            .iter()
            .flat_map(|cell| &cell.samples)
        {
            ran += u32::from(sample.valid);
            if sample.valid {
                assert_eq!(documents::metric(sample, Metric::OutputBytes), 0, "{sample:#?}");
            }
        }
    }
    assert!(ran > 0, "the own module never ran");
}

/// Needs root.
#[test]
fn a_link_that_changes_its_mind_has_nothing_dropped_that_the_caller_may_not_read() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let own = home.file("own", "#!/bin/true\n", 0o755);
    let content = format!("#!/bin/true\n{}", "#".repeat(4 << 20));
    let secret = home.file("secret", &content, 0o711);
    File::open(&secret)
        .and_then(|file| file.sync_all())
        .expect("written"); // what is dirty cannot be dropped
    let before = resident(&secret);
    assert!(before >= 4 << 20);
    let link = home.text("link");
    symlink(&own, &link).expect("a folder of ours");
    while_swapping(&home, Path::new(&link), [&own, &secret], || {
        for _ in 0..15 {
            let _ = home.wbctl_as(
                &nobody,
                &[&ONCE[..], &["--page-cache", "cold", "--", &link]].concat(),
            );
        }
    });
    assert_eq!(resident(&secret), before);
}

/// Sends `request` as `user`, past `wbctl` and its own look at the files.
#[track_caller]
fn send(home: &Home, user: &User, request: &RunRequest) -> Answer {
    let client = home.text("dist/bin/raw-client");
    fs::copy(env!("CARGO_BIN_EXE_raw-client"), &client).expect("a file of ours");
    let request = serde_json::to_string(request).expect("a message is JSON");
    let mut command = user.command(&client);
    Client::spawn(command.arg(home.socket()).arg(request)).answer()
}

fn request() -> RunRequest {
    RunRequest {
        runs: 1,
        cwd: "/".into(),
        time_limit_ms: 10_000,
        memory_limit_mib: 1024,
        ..RunRequest::default()
    }
}

/// A program of the caller's whose files are to be dropped from the page cache, which the daemon does.
fn cold(path: &str) -> RunRequest {
    RunRequest {
        command: vec![path.into()],
        conditions: Conditions {
            page_cache: PageCache::Cold,
            ..Conditions::default()
        },
        ..request()
    }
}

/// A module of the caller's.
fn module(path: &str) -> RunRequest {
    RunRequest {
        targets: ["wasmtime-jit", "wasmtime-aot"].map(str::to_owned).into(),
        wasm: Some(path.into()),
        command: vec!["0".into()],
        ..request()
    }
}

#[track_caller]
fn refused(answer: Answer, path: &str) {
    assert_eq!(answer.code, Code::FailedPrecondition as i32, "{path}: {answer:?}");
    assert!(answer.stderr.contains(path), "nothing of {path}: {answer:?}");
}

/// Needs root.
#[test]
fn what_is_no_file_of_the_callers_is_refused_at_once_and_costs_no_memory() {
    let home = Home::with_dist_for_everyone();
    let wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    // Past the directories on the way: the daemon's own program, root, working directory and open files.
    for magic in [
        "/proc/self/exe",
        "/proc/self/root/bin/true",
        "/proc/self/cwd/noop",
        "/proc/self/fd/3",
    ] {
        refused(send(&home, &nobody, &cold(magic)), magic);
        refused(send(&home, &nobody, &module(magic)), magic);
    }
    // What waits for somebody, or has no end, or is a part of the machine.
    let pipe = home.text("pipe");
    let mode = nix::sys::stat::Mode::from_bits_truncate(0o644);
    nix::unistd::mkfifo(pipe.as_str(), mode).expect("a folder of ours");
    for path in [pipe.as_str(), "/dev/zero", "/dev"] {
        refused(send(&home, &nobody, &cold(path)), path);
        refused(send(&home, &nobody, &module(path)), path);
    }
    // A file with holes: larger than any memory, cheap to make, and it begins like a program.
    let holes = home.file("holes", "#!/bin/true\n", 0o755);
    let file = File::options().write(true).open(&holes).expect("ours");
    let longest = (40..63).rev().find(|bits| file.set_len(1 << bits).is_ok());
    assert!(longest.is_some(), "not even a terabyte");
    for request in [cold(&holes), module(&holes)] {
        let answer = send(&home, &nobody, &request);
        let ended = [Code::Ok as i32, Code::FailedPrecondition as i32].contains(&answer.code);
        assert!(ended, "2^{longest:?} bytes: {answer:?}");
    }
    let high_water = &process::status(wbd.pid())["VmHWM"];
    let kib: u64 = high_water.trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < 400 * 1024, "the daemon took {high_water}");
    home.measure(&["-n", "2", "-t", "native"]);
}

/// A program that may be executed but not read keeps the names of its functions to itself. Needs root.
#[test]
fn names_of_functions_are_not_read_for_somebody_who_may_only_execute() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let program = home.program("lookups");
    for (mode, known) in [(0o755, true), (0o711, false)] {
        fs::set_permissions(&program, Permissions::from_mode(mode)).expect("ours");
        for way in ["halving", "scanning"] {
            let line = ["run", "-n", "5", "--", &program, way, "200000"];
            home.wbctl_as(&nobody, &line).expect(0);
        }
        let names = home
            .wbctl(&["--json", "list"])
            .json::<wbd_model::request::ExperimentList>();
        let [slow, quick] = [0, 1].map(|place| format!("{}:0", names.experiments[place].experiment));
        let answer = home
            .wbctl_as(&nobody, &["--json", "explain", &slow, &quick])
            .expect(0);
        assert_eq!(
            answer.stdout.contains("\"function\":\"scanning\""),
            known,
            "{mode:o}: {}",
            answer.stdout
        );
    }
}

/// What the daemon writes for a caller lies where nobody else can put a link. Needs root.
#[test]
fn nobody_can_put_anything_where_the_daemon_writes() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    home.measure(&["-t", "wasmtime-aot", "-w", "empty", "-n", "1"]);
    for folder in [home.state(), home.state().join("code")] {
        let found = folder.metadata().expect("the daemon made it");
        assert_eq!(found.permissions().mode() & 0o7777, 0o711, "{}", folder.display());
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&found), 0);
    }
}
