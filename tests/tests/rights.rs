//! Whose rights a target runs with.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;

use wbd_tests::client::Client;
use wbd_tests::user::User;
use wbd_tests::{Home, process};

const BOTH: [&str; 4] = ["-t", "wasmtime-jit", "-t", "wasmtime-aot"];
const ONCE: [&str; 4] = ["-n", "1", "--warmup", "0"];

/// Needs root.
#[test]
fn a_command_runs_as_the_caller_with_three_descriptors_and_no_way_up() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let _client = home.begin_as(&nobody, &["run", "-n", "1", "--", &home.program("hang")]);
    let pid = home.target();
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
    let latin = OsStr::from_bytes(b"gr\xfc\xdfe"); // as a shell in ISO 8859-1 has it
    let _client = Client::spawn(wbctl.env_clear().env("GREETING", "good day").env("SALUT", latin));
    let pid = home.target();
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert_eq!(environment, b"GREETING=good day\0SALUT=gr\xfc\xdfe\0");
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
    let pid = home.target();
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
    assert_eq!(process::status(home.target())["Uid"], "65534 65534 65534 65534");
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
    let made = home.show("latest");
    assert!(made.cells.iter().all(|cell| cell.valid == 1), "{made:#?}");
}
