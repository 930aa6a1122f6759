//! What the daemon itself may do, and what it hands down.

use std::fs;

use wbd_tests::user::User;
use wbd_tests::{Home, process};

/// By number, as `linux/capability.h` has them: CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID, NET_ADMIN, IPC_LOCK, SYS_PTRACE,
/// SYS_ADMIN, SYS_NICE, SYS_RESOURCE, SYSLOG, PERFMON, BPF.
const KEPT: [u32; 14] = [0, 1, 5, 6, 7, 12, 14, 19, 21, 23, 24, 34, 38, 39];

fn kept() -> u64 {
    KEPT.iter().map(|number| 1 << number).sum()
}

fn mask(status: &std::collections::BTreeMap<String, String>, field: &str) -> u64 {
    u64::from_str_radix(&status[field], 16).expect("a mask")
}

/// Needs root.
#[test]
fn the_daemon_has_the_capabilities_it_names_in_every_thread_and_no_others() {
    let home = Home::new();
    let wbd = home.start();
    home.measure(&["-t", "native", "-n", "1"]); // which starts what threads there are
    let ours = mask(&process::status(std::process::id()), "CapPrm");
    let threads = fs::read_dir(format!("/proc/{}/task", wbd.pid())).expect("it lives");
    let ids = threads
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for thread in ids.collect::<Vec<_>>() {
        let status = process::status(thread);
        for field in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(
                mask(&status, field),
                kept() & ours,
                "{field} of {}",
                status["Name"]
            );
        }
        for field in ["CapInh", "CapAmb"] {
            assert_eq!(mask(&status, field), 0, "{field} of {}", status["Name"]);
        }
    }
}

/// Needs root.
#[test]
fn a_target_can_have_no_capability_that_the_daemon_gave_up() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let nobody = User::nobody();
    home.admit(&nobody);
    let hang = home.program("hang");
    for (user, may_have) in [(&User::root(), kept()), (&nobody, 0)] {
        let client = home.begin_as(user, &["run", "-n", "1", "--", &hang]);
        let status = process::status(home.target());
        for field in ["CapPrm", "CapEff"] {
            assert_eq!(
                mask(&status, field) & !may_have,
                0,
                "{field} of user {}",
                user.uid
            );
        }
        assert_eq!(mask(&status, "CapBnd") & !kept(), 0);
        drop(client);
        wbd_tests::wait::until("the target is gone", || home.processes().is_empty());
    }
}
