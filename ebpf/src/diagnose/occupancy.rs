//! Who had each CPU lately: a thread that waited for one has waited for each of those, and not for the last alone.

use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use wbd_abi::diagnosis::MAX_CPUS;

/// Stretches of time that are kept for each CPU, a power of two. Those of one kind that follow each other are one.
const STRETCHES: usize = 16;

/// Who had a CPU.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Nobody, or nobody that was seen: what a map holds at first.
    Idle,
    /// A thread of the run.
    Own,
    /// Another program, or the kernel's own threads.
    Other,
}

/// A stretch of time of a CPU: it lasts from the end of the one before to its own.
#[derive(Clone, Copy)]
struct Stretch {
    end_ns: u64,
    holder: u64,
}

/// The last stretches of a CPU, the latest at `latest`, the others before it, round and round.
struct Lately {
    /// Who has it now.
    holder: u64,
    latest: u64,
    stretches: [Stretch; STRETCHES],
}

#[map]
static LATELY: Array<Lately> = Array::with_max_entries(MAX_CPUS, 0);

/// How long each had a CPU, nanoseconds.
#[derive(Clone, Copy, Default)]
pub struct Held {
    pub own_ns: u64,
    pub others_ns: u64,
    pub idle_ns: u64,
}

impl Held {
    #[inline(always)]
    fn add(&mut self, holder: u64, ns: u64) {
        if holder == Holder::Own as u64 {
            self.own_ns += ns;
        } else if holder == Holder::Other as u64 {
            self.others_ns += ns;
        } else {
            self.idle_ns += ns;
        }
    }
}

/// The CPU that this runs on.
#[inline(always)]
pub fn this_cpu() -> u32 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_get_smp_processor_id() }
}

/// Notes that this CPU goes from one to the other now.
#[inline(always)]
pub fn note(from: Holder, to: Holder, now: u64) {
    let Some(lately) = LATELY.get_ptr_mut(this_cpu()) else {
        return;
    };
    // SAFETY: only the switch on this CPU, during which there is no other, changes this CPU's value. Others read it, and may
    // be wrong by the stretch that is being noted.
    let lately = unsafe { &mut *lately };
    lately.holder = to as u64;
    let holder = from as u64;
    let latest = lately.latest as usize % STRETCHES;
    if lately.stretches[latest].holder == holder {
        lately.stretches[latest].end_ns = now;
        return;
    }
    let next = (latest + 1) % STRETCHES;
    lately.stretches[next] = Stretch { end_ns: now, holder };
    lately.latest = next as u64;
}

/// Who had a CPU from `since` until now. What lies before all stretches that are kept is the first one's.
#[inline(always)]
pub fn held(cpu: u32, since: u64, now: u64) -> Held {
    let mut held = Held::default();
    let Some(lately) = LATELY.get_ptr(cpu) else {
        return held;
    };
    // SAFETY: see `note`; values of this map live as long as it.
    let lately = unsafe { &*lately };
    let latest = lately.latest as usize;
    let last_end = lately.stretches[latest % STRETCHES].end_ns;
    held.add(lately.holder, now.saturating_sub(last_end.max(since)));
    for back in 0..STRETCHES {
        let stretch = lately.stretches[latest.wrapping_sub(back) % STRETCHES];
        let before = lately.stretches[latest.wrapping_sub(back + 1) % STRETCHES];
        let is_first = back + 1 == STRETCHES || before.end_ns >= stretch.end_ns;
        let begin = if is_first { since } else { before.end_ns.max(since) };
        held.add(stretch.holder, stretch.end_ns.saturating_sub(begin));
        if is_first || before.end_ns <= since {
            break;
        }
    }
    held
}
