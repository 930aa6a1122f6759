//! What the engine's own processes use around one container: CPU time and memory.
//!
//! Those that stay (dockerd, containerd) are read before and after: their CPU clocks, to the nanosecond, and
//! their resident sets, page by page (`smaps_rollup`: the quick counters may be off by megabytes). What else they
//! did meanwhile counts too. Those that come and go (shims, runc) are told by the kernel as each thread ends.

use std::io;

use procfs::process::Process;
use wbd_linux::clock::process_cpu_ns;
use wbd_linux::taskstats::{Ended, Exits};

use super::processes::Processes;

/// What was used around one container. What could not be measured is none.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// Whose use it is.
    pub(crate) processes: Processes,
    /// CPU time of dockerd, nanoseconds.
    pub(crate) dockerd_cpu_ns: Option<u64>,
    /// CPU time of containerd, nanoseconds.
    pub(crate) containerd_cpu_ns: Option<u64>,
    /// By how much both resident sets grew, bytes; 0 where they shrank.
    pub(crate) growth_bytes: Option<u64>,
    /// Every thread of the machine that ended, or why that is not known.
    pub(crate) ended: Option<Vec<Ended>>,
}

/// A measurement under way.
pub(crate) struct Meter {
    processes: Processes,
    cpu_ns: [Option<u64>; 2],
    resident: Option<u64>,
    grown: Option<u64>,
    exits: io::Result<Exits>,
}

impl Meter {
    /// Begins, on a machine of so many CPUs.
    pub(crate) fn start(processes: Processes, cpus: u32) -> Self {
        let exits = Exits::listen(cpus as usize);
        if let Err(error) = &exits {
            tracing::debug!("no taskstats: {error}");
        }
        Self {
            processes,
            resident: resident(processes),
            grown: None,
            exits,
            cpu_ns: cpu_ns(processes),
        }
    }

    /// Notes how much the processes that stay have grown: while the container is still there.
    pub(crate) fn weigh(&mut self) {
        let now = resident(self.processes);
        self.grown = self
            .resident
            .zip(now)
            .map(|(before, now)| now.saturating_sub(before));
    }

    /// Ends, and tells what was used.
    pub(crate) fn stop(self) -> Used {
        let now = cpu_ns(self.processes);
        let [dockerd, containerd] = [0, 1].map(|which| now[which]?.checked_sub(self.cpu_ns[which]?));
        Used {
            processes: self.processes,
            dockerd_cpu_ns: dockerd,
            containerd_cpu_ns: containerd,
            growth_bytes: self.grown,
            ended: self.exits.and_then(|exits| exits.drain()).ok(),
        }
    }
}

fn cpu_ns(processes: Processes) -> [Option<u64>; 2] {
    [processes.dockerd, processes.containerd].map(|pid| process_cpu_ns(pid?).ok())
}

/// Resident bytes of both.
fn resident(processes: Processes) -> Option<u64> {
    Some(resident_of(processes.dockerd?)? + resident_of(processes.containerd?)?)
}

fn resident_of(pid: i32) -> Option<u64> {
    let rollup = Process::new(pid).ok()?.smaps_rollup().ok()?;
    let map = rollup.memory_map_rollup.0.into_iter().next()?;
    map.extension.map.get("Rss").copied()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write as _};
    use std::process::{Command, Stdio};

    use super::*;

    /// Tells the child what it is.
    const CHILD: &str = "WBD_TEST_METER";

    /// What the child does, a process of its own beside the other tests: takes 32 MiB when it is told to.
    fn take_when_told() {
        let mut line = String::new();
        eprintln!("ready");
        std::io::stdin().read_line(&mut line).unwrap();
        let taken = std::hint::black_box(vec![1_u8; 32 << 20]);
        eprintln!("taken");
        std::io::stdin().read_line(&mut line).unwrap();
        drop(taken);
    }

    /// Waits until the child says this.
    fn await_word(said: &mut impl BufRead, word: &str) {
        let mut lines = said.lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line == word),
            "the child ended and never said {word}"
        );
    }

    #[test]
    fn what_a_process_burns_and_takes_is_measured() {
        if std::env::var_os(CHILD).is_some() {
            return take_when_told();
        }
        let (_, module) = module_path!().split_once("::").unwrap();
        let this_test = format!("{module}::what_a_process_burns_and_takes_is_measured");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", &this_test])
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        await_word(&mut said, "ready");
        let pid = Some(child.id().cast_signed());
        let mut meter = Meter::start(
            Processes {
                dockerd: pid,
                containerd: pid,
            },
            1,
        );
        child.stdin.as_mut().unwrap().write_all(b"take\n").unwrap();
        await_word(&mut said, "taken");
        meter.weigh();
        let used = meter.stop();
        drop(child.stdin.take());
        child.wait().unwrap();
        // It stands for both processes, so its growth counts twice.
        let grown = used.growth_bytes.unwrap();
        assert!((64 << 20..72 << 20).contains(&grown), "{grown}");
        assert!(used.dockerd_cpu_ns.unwrap() > 0 && used.containerd_cpu_ns.unwrap() > 0);
    }

    #[test]
    fn an_engine_that_cannot_be_found_uses_nothing_that_is_known() {
        let mut meter = Meter::start(Processes::default(), 1);
        meter.weigh();
        let used = meter.stop();
        assert_eq!(
            (used.dockerd_cpu_ns, used.containerd_cpu_ns, used.growth_bytes),
            (None, None, None)
        );
    }
}
