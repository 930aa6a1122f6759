//! What every CPU was doing when a clock looked, and what processes mapped meanwhile: perf's samples.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use nix::sys::stat::makedev;
use perf_event::data::Record;
use perf_event::events::Software;
use perf_event::{Builder, Clock, SampleFlag, Sampler};

use crate::offsets::possible_cpus;
use crate::symbols::FileId;

/// Memory for what waits to be read, of each CPU.
const RING_BYTES: usize = 4 * 1024 * 1024;
/// Most functions of a stack.
const MOST_FRAMES: u16 = 127;
/// Numbers from here on in a stack say whose the addresses after them are (`PERF_CONTEXT_MAX`).
const FIRST_CONTEXT: u64 = -4095_i64 as u64;
/// The addresses that follow are the program's (`PERF_CONTEXT_USER`).
const CONTEXT_USER: u64 = -512_i64 as u64;

/// A clock on every CPU.
pub struct Sampling {
    samplers: Vec<Sampler>,
}

impl std::fmt::Debug for Sampling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampling")
            .field("cpus", &self.samplers.len())
            .finish()
    }
}

/// What was seen, of every process of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A thread was on a CPU.
    OnCpu(Sample),
    /// A process mapped a file or memory.
    Mapped(Mapped),
    /// So many records found no room.
    Lost(u64),
}

/// A thread on a CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Its process.
    pub pid: u32,
    /// It.
    pub tid: u32,
    /// When, in `CLOCK_MONOTONIC`.
    pub at_ns: u64,
    /// The kernel's addresses, the innermost first; none where it ran its own code.
    pub kernel: Vec<u64>,
    /// The program's addresses, the innermost first.
    pub user: Vec<u64>,
}

/// Memory that was mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// By which process.
    pub pid: u32,
    /// When, in `CLOCK_MONOTONIC`.
    pub at_ns: u64,
    /// The first address.
    pub start: u64,
    /// The address after the last.
    pub end: u64,
    /// The file's path and number, and where in it the mapping begins; none: memory without a file.
    pub file: Option<(PathBuf, FileId, u64)>,
}

impl Sampling {
    /// Starts a clock on every CPU that looks each `period_ns` nanoseconds of time not idle.
    ///
    /// # Errors
    ///
    /// The kernel refuses: it takes root, or memory that may not be locked.
    pub fn start(period_ns: u64) -> io::Result<Self> {
        let mut samplers = Vec::new();
        for cpu in 0..possible_cpus() as usize {
            match on_cpu(cpu, period_ns) {
                Ok(sampler) => samplers.push(sampler),
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {} // it is offline
                Err(error) => return Err(error),
            }
        }
        Ok(Self { samplers })
    }

    /// Takes what waits.
    pub fn drain(&mut self, into: &mut Vec<Seen>) {
        for sampler in &mut self.samplers {
            while let Some(record) = sampler.next_record() {
                into.extend(seen(&record));
            }
        }
    }
}

fn on_cpu(cpu: usize, period_ns: u64) -> io::Result<Sampler> {
    let mut builder = Builder::new(Software::CPU_CLOCK);
    builder
        .any_pid()
        .one_cpu(cpu)
        .include_kernel()
        .exclude_idle(true)
        .sample_period(period_ns)
        .sample(SampleFlag::TID | SampleFlag::TIME | SampleFlag::CALLCHAIN | SampleFlag::CPU)
        .sample_max_stack(MOST_FRAMES)
        .sample_id_all(true)
        .clockid(Clock::MONOTONIC)
        .mmap(true)
        .mmap2(true)
        .mmap_data(true)
        .enabled(true);
    builder.build()?.sampled(RING_BYTES)
}

fn seen(record: &perf_event::Record<'_>) -> Option<Seen> {
    match record.parse_record().ok()? {
        Record::Sample(sample) => {
            let (kernel, user) = apart(sample.callchain().unwrap_or_default());
            Some(Seen::OnCpu(Sample {
                pid: sample.pid()?,
                tid: sample.tid()?,
                at_ns: sample.time()?,
                kernel,
                user,
            }))
        }
        Record::Mmap2(mapped) => {
            let path = PathBuf::from(mapped.filename_os());
            let id = FileId {
                device: makedev(u64::from(mapped.maj()?), u64::from(mapped.min()?)),
                inode: mapped.ino()?,
            };
            let is_file = path.as_os_str().as_bytes().first() == Some(&b'/') && id.inode != 0;
            Some(Seen::Mapped(Mapped {
                pid: mapped.pid,
                at_ns: time(&record.to_contiguous())?,
                start: mapped.addr,
                end: mapped.addr.saturating_add(mapped.len),
                file: is_file.then_some((path, id, mapped.pgoff)),
            }))
        }
        Record::Lost(lost) => Some(Seen::Lost(lost.lost)),
        _ => None,
    }
}

/// When a record was made that is no sample: with what is asked for above, the word before its last.
fn time(record: &[u8]) -> Option<u64> {
    let word = record.len().checked_sub(16)?;
    let bytes = record.get(word..word + 8)?;
    bytes.try_into().ok().map(u64::from_ne_bytes)
}

/// The kernel's addresses and the program's.
fn apart(chain: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let (mut kernel, mut user) = (Vec::new(), Vec::new());
    let mut is_user = false;
    for &address in chain {
        if address >= FIRST_CONTEXT {
            is_user = address == CONTEXT_USER;
        } else if is_user {
            user.push(address);
        } else {
            kernel.push(address);
        }
    }
    (kernel, user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_taken_apart_where_it_says() {
        let kernel = -128_i64 as u64;
        let chain = [
            kernel,
            0xffff_8000_0000_0001,
            0xffff_8000_0000_0002,
            CONTEXT_USER,
            1,
            2,
        ];
        assert_eq!(
            apart(&chain),
            (vec![0xffff_8000_0000_0001, 0xffff_8000_0000_0002], vec![1, 2])
        );
        assert_eq!(apart(&[CONTEXT_USER, 7]), (vec![], vec![7]));
    }

    #[test]
    fn a_records_time_is_its_word_before_the_last() {
        let words = [1_u64, 42, 3].map(u64::to_ne_bytes).concat();
        assert_eq!(time(&words), Some(42));
        assert_eq!(time(&words[..8]), None);
    }
}
