use std::process::Command;
use std::time::{Duration, Instant};

use super::*;
use crate::offsets::possible_cpus;

/// Only root may listen; others are told so.
fn listen() -> Option<Exits> {
    match Exits::listen(possible_cpus() as usize) {
        Ok(exits) => Some(exits),
        Err(error) => {
            assert!(!nix::unistd::geteuid().is_root(), "{error}");
            assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
            None
        }
    }
}

/// CPU time of a process, once it is told of, within a generous time.
fn cpu_of(exits: &Exits, pid: u32) -> u64 {
    let begun = Instant::now();
    let mut cpu_ns = 0;
    while cpu_ns == 0 && begun.elapsed() < Duration::from_secs(10) {
        let threads = exits.drain().unwrap();
        cpu_ns = threads
            .iter()
            .filter(|thread| thread.pid == pid)
            .map(|thread| thread.cpu_ns)
            .sum();
    }
    cpu_ns
}

#[test]
fn a_process_that_burnt_a_known_time_is_told_with_it() {
    let Some(exits) = listen() else { return };
    // The shell counts its own user and system time, in hundredths of a second.
    let script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; cat /proc/$$/stat";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let mut stat = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut stat).unwrap();
    child.wait().unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let (found, truth) = (cpu_of(&exits, pid), Duration::from_millis(10 * ticks));
    let found = Duration::from_nanos(found);
    assert!(
        found.abs_diff(truth) <= Duration::from_millis(25),
        "{found:?} {truth:?}"
    );
}

#[test]
fn threads_are_told_with_their_process() {
    let Some(exits) = listen() else { return };
    exits.drain().unwrap();
    std::thread::spawn(|| {}).join().unwrap();
    assert!(cpu_of(&exits, std::process::id()) > 0);
}
