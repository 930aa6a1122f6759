//! Who had each CPU lately: a thread that waited for one has waited for each of those, and not for the last alone.

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;

/// Stretches of time that are kept for each CPU, a power of two. Those of one kind that follow each other are one.
const STRETCHES: usize = 16;

/// Who had a CPU.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A thread of the run.
    Own,
    /// Another program, or the kernel's own threads.
    Other,
    /// Nobody.
    Idle,
}

/// A stretch of time of a CPU: it lasts from the end of the one before to its own.
#[derive(Clone, Copy)]
struct Stretch {
    end_ns: u64,
    holder: u64,
}

/// The last stretches of a CPU, the latest at `latest`, the others before it, round and round.
struct Lately {
    latest: u64,
    stretches: [Stretch; STRETCHES],
}

#[map]
static LATELY: PerCpuArray<Lately> = PerCpuArray::with_max_entries(1, 0);

/// How long each had this CPU, nanoseconds.
#[derive(Clone, Copy, Default)]
pub struct Held {
    pub own_ns: u64,
    pub others_ns: u64,
    pub idle_ns: u64,
}

/// Notes that `holder` had this CPU until now.
#[inline(always)]
pub fn note(holder: Holder, now: u64) {
    let Some(lately) = lately() else { return };
    let holder = holder as u64;
    let latest = lately.latest as usize % STRETCHES;
    if lately.stretches[latest].holder == holder {
        lately.stretches[latest].end_ns = now;
        return;
    }
    let next = (latest + 1) % STRETCHES;
    lately.stretches[next] = Stretch { end_ns: now, holder };
    lately.latest = next as u64;
}

/// Who had this CPU from `since` until now, when it was last noted. What lies before all stretches that are kept is the
/// first one's.
#[inline(always)]
pub fn since(since: u64) -> Held {
    let mut held = Held::default();
    let Some(lately) = lately() else { return held };
    let latest = lately.latest as usize;
    for back in 0..STRETCHES {
        let stretch = lately.stretches[latest.wrapping_sub(back) % STRETCHES];
        let before = lately.stretches[latest.wrapping_sub(back + 1) % STRETCHES];
        let is_first = back + 1 == STRETCHES || before.end_ns >= stretch.end_ns;
        let begin = if is_first { since } else { before.end_ns.max(since) };
        let ns = stretch.end_ns.saturating_sub(begin);
        if stretch.holder == Holder::Own as u64 {
            held.own_ns += ns;
        } else if stretch.holder == Holder::Other as u64 {
            held.others_ns += ns;
        } else {
            held.idle_ns += ns;
        }
        if is_first || before.end_ns <= since {
            break;
        }
    }
    held
}

#[inline(always)]
fn lately() -> Option<&'static mut Lately> {
    // SAFETY: this CPU's own value, changed by the switch on this CPU alone, during which there is no other.
    LATELY.get_ptr_mut(0).map(|lately| unsafe { &mut *lately })
}
