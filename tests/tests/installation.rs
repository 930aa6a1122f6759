//! The built folder, put elsewhere.

use wbd_tests::user::User;
use wbd_tests::{Home, targets};

/// As a user who may not enter the place that it was copied from, where that lies in a home of root's. Needs root.
#[test]
fn a_copied_installation_runs_every_engine_where_it_is() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let all = targets::wasm(&home);
    let once = ["-n", "1", "--warmup", "0", "-w", "empty"];
    let line = [&["run"], &targets::flags(&all)[..], &once].concat();
    home.wbctl_as(&nobody, &line).expect(0);
    for engine in ["wasmedge", "wasmtime"] {
        let runner = home.runner(engine);
        if let Ok(program) = std::fs::read(&runner) {
            assert_is_at_home(&home, &runner, &program);
        }
    }
}

/// Of an engine that brings its own loader, the runner names the one of this place.
fn assert_is_at_home(home: &Home, runner: &str, program: &[u8]) {
    let names = |text: &str| program.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    let libraries = runner.replace("wbd-runner-", "") + "/lib";
    if std::fs::exists(&libraries).expect("a path of ours") {
        assert!(names(&(libraries + "/ld-linux")), "{runner}");
    } else {
        assert!(!names(&home.text("")), "{runner} was written anew");
    }
}
