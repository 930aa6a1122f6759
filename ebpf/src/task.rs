//! Reading the kernel's task structures at offsets the daemon took from the kernel's BTF.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use aya_ebpf::helpers::generated::bpf_get_current_task;
use wbd_abi::{ABSENT, Usage};

use crate::maps::{cpus, offsets};
use crate::percpu;

/// Pairs looked at in a process's auxiliary vector; the kernel writes about twenty.
const AUXV_PAIRS: u64 = 26;
/// Load address of the dynamic linker (`AT_BASE`).
const AT_BASE: u64 = 7;
/// Address of the program's entry point (`AT_ENTRY`).
const AT_ENTRY: u64 = 9;
/// Index of swapped-out pages among the resident-set counters (`MM_SWAPENTS`); all others are resident.
const MM_SWAPENTS: u64 = 2;
/// Resident-set counters of a memory map (`NR_MM_COUNTERS`).
const NR_MM_COUNTERS: u64 = 4;
/// CPUs looked at for the per-CPU part of a counter, at most.
const MAX_CPUS: u32 = 512;

/// A `task_struct` of the running kernel.
#[derive(Clone, Copy)]
pub struct Task(u64);

/// Reads a plain value of kernel memory, or its default where the address is bad.
#[inline(always)]
pub fn read<T: Copy + Default>(address: u64) -> T {
    // SAFETY: the helper checks the address and fails on a bad one.
    unsafe { bpf_probe_read_kernel(address as *const T) }.unwrap_or_default()
}

#[inline(always)]
fn field<T: Copy + Default>(base: u64, offset: u32) -> T {
    read(base + u64::from(offset))
}

impl Task {
    /// The task a tracepoint passed as an argument.
    #[inline(always)]
    pub fn at(address: u64) -> Self {
        Self(address)
    }

    /// The task that runs now.
    #[inline(always)]
    pub fn current() -> Self {
        // SAFETY: the helper has no precondition.
        Self(unsafe { bpf_get_current_task() })
    }

    /// Its process id.
    #[inline(always)]
    pub fn process_id(self) -> u32 {
        field(self.0, offsets().task_tgid)
    }

    /// Its thread id.
    #[inline(always)]
    pub fn thread_id(self) -> u32 {
        field(self.0, offsets().task_pid)
    }

    /// The main thread of the process that runs now.
    #[inline(always)]
    pub fn current_leader(is_leader: bool) -> Self {
        let current = Self::current();
        if is_leader { current } else { current.leader() }
    }

    /// The main thread of its process.
    #[inline(always)]
    pub fn leader(self) -> Self {
        Self(field(self.0, offsets().task_leader))
    }

    /// Nanoseconds it was runnable and waited for a CPU.
    #[inline(always)]
    pub fn run_delay_ns(self) -> u64 {
        field(self.0, offsets().task_run_delay)
    }

    /// What its process has used: it, its main thread, and the threads that have ended. Others that still live are
    /// left out.
    #[inline(always)]
    pub fn usage(self) -> Usage {
        let at = offsets();
        let signal: u64 = field(self.0, at.task_signal);
        let mut switches: [u64; 2] = field(signal, at.signal_switches);
        let mut faults: [u64; 2] = field(signal, at.signal_faults);
        self.add_counts(&mut switches, &mut faults);
        let leader = self.leader();
        if leader.0 != self.0 {
            leader.add_counts(&mut switches, &mut faults);
        }
        Usage {
            voluntary_switches: switches[0],
            involuntary_switches: switches[1],
            minor_faults: faults[0],
            major_faults: faults[1],
        }
    }

    #[inline(always)]
    fn add_counts(self, switches: &mut [u64; 2], faults: &mut [u64; 2]) {
        let own = self.own_usage();
        switches[0] += own.voluntary_switches;
        switches[1] += own.involuntary_switches;
        faults[0] += own.minor_faults;
        faults[1] += own.major_faults;
    }

    /// What this thread alone has used.
    #[inline(always)]
    pub fn own_usage(self) -> Usage {
        let at = offsets();
        let switches: [u64; 2] = field(self.0, at.task_switches);
        let faults: [u64; 2] = field(self.0, at.task_faults);
        Usage {
            voluntary_switches: switches[0],
            involuntary_switches: switches[1],
            minor_faults: faults[0],
            major_faults: faults[1],
        }
    }

    /// How often this thread was moved to another CPU.
    #[inline(always)]
    pub fn migrations(self) -> u64 {
        field(self.0, offsets().task_migrations)
    }

    /// The address of its run queue, and the time stolen from that queue's CPU so far, in nanoseconds: as of the
    /// queue's last tick or switch. None where this kernel has no such clock.
    #[inline(always)]
    pub fn queue_stolen_ns(self) -> Option<(u64, u64)> {
        let at = offsets();
        if at.task_queue == ABSENT || at.rq_stolen == ABSENT {
            return None;
        }
        let of_class: u64 = field(self.0, at.task_queue);
        let queue: u64 = field(of_class, at.queue_rq);
        Some((queue, field(queue, at.rq_stolen)))
    }

    /// Whether it is the last living thread of its process, when asked at its exit.
    #[inline(always)]
    pub fn is_last_thread(self) -> bool {
        let signal: u64 = field(self.0, offsets().task_signal);
        field::<u32>(signal, offsets().signal_live) == 0
    }

    /// Its exit code in the form of a `wait` status.
    #[inline(always)]
    pub fn exit_code(self) -> u32 {
        field(self.0, offsets().task_exit_code)
    }

    /// Its memory map, if it still has one.
    #[inline(always)]
    pub fn memory(self) -> Option<Memory> {
        match field::<u64>(self.0, offsets().task_mm) {
            0 => None,
            address => Some(Memory(address)),
        }
    }
}

/// An `mm_struct` of the running kernel.
#[derive(Clone, Copy)]
pub struct Memory(u64);

/// What the kernel told a new image about itself.
#[derive(Default)]
pub struct Image {
    /// Load address of its dynamic linker, 0 where it has none.
    pub linker: u64,
    /// Address of its entry point.
    pub entry: u64,
}

impl Memory {
    /// What the auxiliary vector says of the image.
    #[inline(always)]
    pub fn image(self) -> Image {
        let mut image = Image::default();
        let vector = self.0 + u64::from(offsets().mm_saved_auxv);
        for pair in 0..AUXV_PAIRS {
            let [key, value]: [u64; 2] = read(vector + pair * 16);
            match key {
                0 => break,
                AT_BASE => image.linker = value,
                AT_ENTRY => image.entry = value,
                _ => {}
            }
        }
        image
    }

    /// Largest resident set so far, in pages.
    ///
    /// The kernel notes its high-water mark only when pages are about to go, so the present size counts too.
    #[inline(always)]
    pub fn peak_resident_pages(self) -> u64 {
        let noted: u64 = field(self.0, offsets().mm_hiwater_rss);
        let mut present: i64 = 0;
        for index in 0..NR_MM_COUNTERS {
            if index != MM_SWAPENTS {
                present += self.counter(index);
            }
        }
        noted.max(present.max(0) as u64)
    }

    /// One resident-set counter: its shared count and, where it has one, each CPU's part not yet added to it.
    #[inline(always)]
    fn counter(self, index: u64) -> i64 {
        let at = offsets();
        let counter = self.0 + u64::from(at.mm_rss_stat) + index * u64::from(at.rss_stat_stride);
        let mut pages: i64 = field(counter, at.rss_count);
        if at.rss_percpu == ABSENT {
            return pages;
        }
        let percpu: u64 = field(counter, at.rss_percpu);
        for cpu in 0..MAX_CPUS {
            if cpu >= cpus() {
                break;
            }
            if let Some(shift) = percpu::shift(cpu) {
                pages += i64::from(read::<i32>(percpu.wrapping_add(shift)));
            }
        }
        pages
    }
}
