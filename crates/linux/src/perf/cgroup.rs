//! Counters of all processes of a cgroup.

use std::fs::File;
use std::io;

use perf_event::Counter;

use super::{Counted, CounterKind, Reading};

/// Counters of all processes of a cgroup of the unified hierarchy: one of each kind on each CPU.
#[derive(Debug)]
pub struct CgroupCounters(Vec<(Counted, Vec<Counter>)>);

impl CgroupCounters {
    /// Opens and starts those of these kinds; a kind that one CPU refuses is left out.
    #[must_use]
    pub fn start<'a>(kinds: impl Iterator<Item = &'a CounterKind>, cgroup: &File, cpus: u32) -> Self {
        let of_kind = |kind: &CounterKind| {
            let on = |cpu| start_on(kind.counted, cgroup, cpu);
            Some((
                kind.counted,
                (0..cpus as usize).map(on).collect::<io::Result<_>>().ok()?,
            ))
        };
        Self(kinds.filter_map(of_kind).collect())
    }

    /// Reads them all, the CPUs added up.
    pub fn read(&mut self) -> io::Result<Vec<(Counted, Reading)>> {
        let mut readings = Vec::new();
        for (counted, counters) in &mut self.0 {
            let mut sum = Reading::default();
            for counter in counters {
                let read = counter.read_full()?;
                sum.value += read.count();
                sum.enabled_ns += read.time_enabled().map_or(0, as_ns);
                sum.running_ns += read.time_running().map_or(0, as_ns);
            }
            readings.push((*counted, sum));
        }
        Ok(readings)
    }
}

fn start_on(counted: Counted, cgroup: &File, cpu: usize) -> io::Result<Counter> {
    let mut counter = counted.builder().observe_cgroup(cgroup).one_cpu(cpu).build()?;
    counter.enable()?;
    Ok(counter)
}

fn as_ns(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
