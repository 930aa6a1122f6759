//! Causes in sentences with figures, and the figures by their names.

use serde_json::{Value, json};
use wbd_model::explanation::CauseKind;
use wbd_model::profile::{Profile, Syscall};

use super::breakdown::Breakdown;
use super::calls::{moves_bytes, of_call};
use super::reach::Reach;

/// Details that are told of a cause.
const MOST_DETAILS: usize = 5;
/// A detail that carries less of its cause is not told in the sentence.
const WORTH_TELLING: f64 = 0.2;

/// Both sides, to be told about.
pub(super) struct Told<'a> {
    pub(super) sides: [&'a Profile; 2],
    pub(super) reach: [Option<Reach>; 2],
    pub(super) parts: &'a [Breakdown; 2],
    /// Whether A takes longer.
    pub(super) more: bool,
}

/// One detail of a cause: what, and nanoseconds of A and of B.
struct Detail {
    what: String,
    ns: [f64; 2],
}

impl Told<'_> {
    /// A cause in a sentence.
    pub(super) fn sentence(&self, kind: CauseKind, share: f64) -> String {
        let [a, b] = [0, 1].map(|side| time(self.parts[side].of_kind(kind)));
        let details = self.details(kind);
        let counts = self.counts(kind);
        let what = match kind {
            CauseKind::UserCpu => "its own code",
            CauseKind::EngineCpu => "the engine's own code",
            CauseKind::Compile => "compiling",
            CauseKind::Syscalls => "the kernel, serving system calls",
            CauseKind::LockWait => "waiting for other threads, and waking them",
            CauseKind::Sleep => "sleeping by its own will",
            CauseKind::IoWait => "waiting for data from a disk, a pipe or a socket",
            CauseKind::PageFaults => "memory: page faults, and asking for it",
            CauseKind::Processes => {
                "making, running and awaiting short-lived processes and threads of its own"
            }
            CauseKind::MemoryBandwidth => "its own code, held up by memory",
            CauseKind::Interference => "other programs on this machine, which is not its own doing",
        };
        let carries = if self.more { "carries" } else { "spares" };
        let mut text = format!("{what}: {a} against {b}");
        if !counts.is_empty() {
            text += &format!(" ({})", counts.join("; "));
        }
        let longest = details
            .first()
            .map(|detail| self.excess(detail).abs())
            .unwrap_or(0.0);
        let worth = |detail: &&Detail| longest > 0.0 && self.excess(detail).abs() >= WORTH_TELLING * longest;
        let told: Vec<String> = details
            .iter()
            .filter(worth)
            .take(2)
            .map(|detail| {
                format!(
                    "`{}` {} against {}",
                    detail.what,
                    time(detail.ns[0]),
                    time(detail.ns[1])
                )
            })
            .collect();
        if !told.is_empty() {
            text += &format!(", most of it in {}", told.join(" and "));
        }
        format!("{text}; {carries} {:.0} % of the difference", share * 100.0)
    }

    /// The figures behind it.
    pub(super) fn evidence(&self, kind: CauseKind) -> Value {
        let details: Vec<Value> = self
            .details(kind)
            .into_iter()
            .map(|detail| json!({"what": detail.what, "a_ns": detail.ns[0].round(), "b_ns": detail.ns[1].round()}))
            .collect();
        let [a, b] = [0, 1].map(|side| self.parts[side].of_kind(kind).round());
        json!({"a_ns": a, "b_ns": b, "counts": self.counts(kind), "details": details})
    }

    fn excess(&self, detail: &Detail) -> f64 {
        detail.ns[0] - detail.ns[1]
    }

    /// The details of a cause, those that differ most first.
    fn details(&self, kind: CauseKind) -> Vec<Detail> {
        let of_kind = |side: usize| {
            let parts = self.parts[side].parts.iter();
            parts.filter(move |(part, _)| part.kind == kind)
        };
        let mut details: Vec<Detail> = of_kind(0)
            .map(|(part, ns)| Detail {
                what: part.detail.clone(),
                ns: [*ns, self.parts[1].parts.get(part).copied().unwrap_or(0.0)],
            })
            .collect();
        let only_b = of_kind(1).filter(|(part, _)| !self.parts[0].parts.contains_key(part));
        details.extend(only_b.map(|(part, ns)| Detail {
            what: part.detail.clone(),
            ns: [0.0, *ns],
        }));
        let direction = if self.more { 1.0 } else { -1.0 };
        details.sort_by(|a, b| (direction * self.excess(b)).total_cmp(&(direction * self.excess(a))));
        details.truncate(MOST_DETAILS);
        details
    }

    /// What was counted, of A and of B.
    fn counts(&self, kind: CauseKind) -> Vec<String> {
        let against = |what: &str, of: &dyn Fn(&Profile) -> u64| {
            let [a, b] = self.sides.map(of);
            format!("{} {what} against {}", number(a), number(b))
        };
        match kind {
            CauseKind::PageFaults => vec![against("page faults", &|profile| {
                profile.threads.iter().map(|thread| thread.faults[0]).sum()
            })],
            CauseKind::Processes => vec![against("processes and threads", &|profile| {
                profile
                    .threads
                    .iter()
                    .map(|thread| u64::from(thread.merged))
                    .sum()
            })],
            CauseKind::Syscalls => self.calls(kind, true),
            CauseKind::LockWait | CauseKind::Sleep => self.calls(kind, false),
            CauseKind::Interference => vec![against("times made to leave the CPU", &|profile| {
                profile.threads.iter().map(|thread| thread.switches[1]).sum()
            })],
            CauseKind::MemoryBandwidth => self.reached().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// How much memory both touch in the same time.
    fn reached(&self) -> Option<String> {
        let touched = |reach: Option<Reach>| {
            reach.map_or_else(
                || "too short a run to tell".to_owned(),
                |reach| mebibytes(reach.bytes_per_ms()),
            )
        };
        let cache = self.reach.iter().flatten().next()?.cache_bytes;
        Some(format!(
            "memory touched in a millisecond on a CPU, whose own cache holds {}: {} against {}",
            mebibytes(cache as f64),
            touched(self.reach[0]),
            touched(self.reach[1])
        ))
    }

    /// The system calls of a kind whose number or time differs most.
    fn calls(&self, kind: CauseKind, bytes: bool) -> Vec<String> {
        let of = |side: usize, name: &str| -> (u64, u64) {
            let calls = calls(self.sides[side]).filter(|call| call.name == name);
            calls.fold((0, 0), |(count, bytes), call| {
                (count + call.calls, bytes + call.bytes)
            })
        };
        let mut names: Vec<&str> = self
            .sides
            .iter()
            .flat_map(|side| calls(side))
            .map(|call| call.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| of_call(name) == kind);
        names.sort_by_key(|name| std::cmp::Reverse(of(0, name).0.abs_diff(of(1, name).0)));
        let told = names
            .into_iter()
            .take(2)
            .filter(|name| of(0, name).0 != of(1, name).0);
        told.map(|name| {
            let ([a, b], [a_bytes, b_bytes]) = {
                let (a, b) = (of(0, name), of(1, name));
                ([a.0, b.0], [a.1, b.1])
            };
            let text = format!("{} calls of {name} against {}", number(a), number(b));
            if bytes && moves_bytes(name) && a_bytes + b_bytes > 0 {
                format!("{text}, {} bytes against {}", number(a_bytes), number(b_bytes))
            } else {
                text
            }
        })
        .collect()
    }
}

fn calls(profile: &Profile) -> impl Iterator<Item = &Syscall> {
    profile.threads.iter().flat_map(|thread| &thread.syscalls)
}

/// A number with its thousands set apart.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}

/// A time to three digits; nothing is below 0.
#[must_use]
pub fn time(ns: f64) -> String {
    let ns = ns.max(0.0) + 0.0; // the sum of nothing is -0
    let (value, unit) = match ns {
        ns if ns >= 1e9 => (ns / 1e9, "s"),
        ns if ns >= 1e6 => (ns / 1e6, "ms"),
        ns if ns >= 1e3 => (ns / 1e3, "us"),
        ns => return format!("{ns:.0} ns"),
    };
    match value {
        value if value >= 99.95 => format!("{value:.0} {unit}"),
        value if value >= 9.995 => format!("{value:.1} {unit}"),
        value => format!("{value:.2} {unit}"),
    }
}
