//! How much memory a run touches in a moment: its processes stand still, what they touched is forgotten, they go on for a
//! millisecond, stand still again, and the kernel tells which pages were touched meanwhile.
//!
//! Looking takes the run's time, so it is done in runs of its own. Pages whose addresses the CPU still knows need not be
//! told: little memory looks like less, and much memory like what it is.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use wbd_analysis::explain::Reach;
use wbd_linux::cgroup::Freezer;

/// How long a run goes on between two looks at its pages.
const MOMENT: Duration = Duration::from_millis(1);
/// Looks at one run, if it lasts as long as it should.
const LOOKS: u32 = 10;
/// A cache to assume where the kernel does not tell.
const USUAL_CACHE_BYTES: u64 = 1 << 20;

/// Looks at a run under way.
pub(crate) struct Watch {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Reach>>,
}

impl Watch {
    /// Begins to look at what is in this cgroup, some times in the time a run is expected to take.
    pub(crate) fn begin(freezer: Freezer, expected: Duration) -> std::io::Result<Self> {
        let done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&done);
        let every = expected / (LOOKS + 1);
        let look_on = move || {
            let cache_bytes = cache_bytes();
            let mut seen = Vec::new();
            loop {
                std::thread::park_timeout(every);
                if flag.load(Ordering::Acquire) {
                    return seen;
                }
                seen.extend(look(&freezer, cache_bytes));
            }
        };
        let thread = Builder::new().name("wbd-reach".to_owned()).spawn(look_on)?;
        Ok(Self { done, thread })
    }

    /// Ends looking: the median of what was seen; none where nothing was.
    pub(crate) fn end(self) -> Option<Reach> {
        self.done.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let mut seen = self.thread.join().unwrap_or_default();
        seen.sort_by(|a, b| a.bytes_per_ms().total_cmp(&b.bytes_per_ms()));
        seen.get(seen.len() / 2).copied()
    }
}

/// One look, at the process that had a CPU for longest.
fn look(freezer: &Freezer, cache_bytes: u64) -> Option<Reach> {
    let pid = freezer.processes().into_iter().max_by_key(|pid| cpu_ns(*pid))?;
    let before = {
        let _frozen = freezer.freeze().ok()?;
        fs::write(format!("/proc/{pid}/clear_refs"), "1").ok()?;
        cpu_ns(pid)
    };
    std::thread::sleep(MOMENT);
    let _frozen = freezer.freeze().ok()?;
    let cpu_ns = cpu_ns(pid).saturating_sub(before);
    let seen = Reach {
        bytes: referenced_bytes(pid)?,
        cpu_ns,
        cache_bytes,
    };
    (cpu_ns > 0).then_some(seen)
}

/// How long a process's threads had a CPU so far.
fn cpu_ns(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let of_thread = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    threads.filter_map(of_thread).sum()
}

/// Bytes of the pages that a process touched since that was last forgotten.
fn referenced_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Referenced:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// A CPU's second-level cache.
fn cache_bytes() -> u64 {
    let text = fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index2/size").unwrap_or_default();
    let kib = text
        .trim()
        .strip_suffix('K')
        .and_then(|kib| kib.parse::<u64>().ok());
    kib.map_or(USUAL_CACHE_BYTES, |kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_touches_memory_and_has_a_cpu() {
        let memory = vec![1_u8; 1 << 20];
        let pid = std::process::id();
        assert!(cpu_ns(pid) > 0);
        assert!(referenced_bytes(pid).is_some_and(|bytes| bytes as usize >= memory.len()));
        assert!(cache_bytes() >= 64 * 1024);
    }
}
