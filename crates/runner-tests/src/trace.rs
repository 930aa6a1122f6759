//! The probes that one run passes, in their order.
//!
//! Needs no privilege: the run is a traced child with a breakpoint in the place of each probe's `nop`. A `nop` is
//! one byte long, and so is the breakpoint: after a hit the program goes on behind it, as if nothing had been there.
//! Threads are not traced, and one that passed a probe would end the run.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::process::{Command, Stdio};

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::notes::{self, Probe};

/// `nop` of x86-64.
const NOP: u8 = 0x90;

/// `int3` of x86-64.
const BREAKPOINT: u8 = 0xCC;

const EXEC: i32 = ptrace::Event::PTRACE_EVENT_EXEC as i32;

/// The names of the probes passed by `program`, run with these words.
///
/// # Panics
///
/// The program cannot be traced, or ends by a signal.
#[must_use]
pub fn passed(program: &str, words: &[String]) -> Vec<String> {
    let pid = stopped_at_exec(program, words);
    let probes = set_breakpoints(pid, program);
    let mut passed = Vec::new();
    let mut signal = None;
    loop {
        ptrace::cont(pid, signal).expect("the run goes on");
        signal = match waitpid(pid, None).expect("the run can be waited for") {
            WaitStatus::Exited(..) => return passed,
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {
                passed.push(name_at(&probes, pid));
                None
            }
            WaitStatus::Stopped(_, other) => Some(other),
            status => panic!("the run ended otherwise: {status:?}"),
        };
    }
}

/// A shell stops itself, is traced from there on, and becomes the program.
#[allow(clippy::zombie_processes, reason = "`passed` waits for it by its pid")]
fn stopped_at_exec(program: &str, words: &[String]) -> Pid {
    let shell = Command::new("/bin/sh")
        .args(["-c", r#"kill -STOP $$; exec "$@""#, "sh", program])
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell can be started");
    let pid = Pid::from_raw(shell.id().cast_signed());
    let stopped = waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("the shell can be waited for");
    assert_eq!(stopped, WaitStatus::Stopped(pid, Signal::SIGSTOP));
    let options = Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, options).expect("a child can be traced");
    nix::sys::signal::kill(pid, Signal::SIGCONT).expect("the shell can be continued");
    until_exec(pid);
    pid
}

fn until_exec(pid: Pid) {
    loop {
        match waitpid(pid, None).expect("the shell can be waited for") {
            WaitStatus::PtraceEvent(_, _, EXEC) => return,
            WaitStatus::Exited(_, status) => panic!("the shell ended with status {status}"),
            _ => ptrace::cont(pid, None).expect("the shell goes on"),
        }
    }
}

/// The probes at their addresses in this process.
fn set_breakpoints(pid: Pid, program: &str) -> Vec<Probe> {
    let base = base(pid, program);
    let mut memory = OpenOptions::new();
    let memory = memory.read(true).write(true).open(format!("/proc/{pid}/mem"));
    let memory = memory.expect("a traced process's memory can be opened");
    let mut probes = notes::probes(program);
    for probe in &mut probes {
        probe.address += base;
        let mut instruction = [0];
        memory
            .read_exact_at(&mut instruction, probe.address)
            .expect("the probe is mapped");
        assert_eq!(instruction, [NOP], "{} is a nop of one byte", probe.name);
        memory
            .write_all_at(&[BREAKPOINT], probe.address)
            .expect("it can be replaced");
    }
    probes
}

/// Where the program, which is position independent, was mapped.
fn base(pid: Pid, program: &str) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("its map can be read");
    let line = maps.lines().find(|line| line.ends_with(program));
    let start = line
        .and_then(|line| line.split('-').next())
        .expect("the program is mapped");
    u64::from_str_radix(start, 16).expect("an address")
}

fn name_at(probes: &[Probe], pid: Pid) -> String {
    let behind = ptrace::getregs(pid).expect("it is stopped").rip;
    let probe = probes.iter().find(|probe| probe.address + 1 == behind);
    probe.expect("no trap but at a probe").name.clone()
}
