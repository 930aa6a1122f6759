//! Several runs under probes made one: the least disturbed one's figures, with the looks of all.

use std::collections::HashMap;

use wbd_model::profile::{Counted, Profile, Stack, Thread};

/// The quickest of some runs that lost nothing (whatever disturbs, lengthens), with the clock's looks at all of them, as
/// far as their threads are the same. None of none.
#[must_use]
pub fn pool(mut profiles: Vec<Profile>) -> Option<Profile> {
    let rank = |profile: &Profile| (profile.lost, profile.wall_ns);
    let best = (0..profiles.len()).min_by_key(|at| rank(&profiles[*at]))?;
    let mut best = profiles.swap_remove(best);
    let runs = profiles.len() as u64 + 1;
    for other in &profiles {
        add_looks(&mut best, other);
    }
    best.runs_looked_at = u32::try_from(runs).unwrap_or(u32::MAX);
    for stack in best
        .stacks
        .iter_mut()
        .filter(|stack| stack.what == Counted::OnCpu)
    {
        stack.ns = stack.count * best.sample_period_ns / runs;
    }
    best.stacks.sort_by_key(|stack| std::cmp::Reverse(stack.ns));
    Some(best)
}

/// Adds another run's looks at threads that have their like in this one.
fn add_looks(best: &mut Profile, other: &Profile) {
    let same = same_threads(&best.threads, &other.threads);
    let mut known: HashMap<(u32, Vec<_>), usize> = HashMap::new();
    for (at, stack) in best
        .stacks
        .iter()
        .enumerate()
        .filter(|(_, stack)| stack.what == Counted::OnCpu)
    {
        known.insert((stack.tid, stack.frames.clone()), at);
    }
    for stack in other.stacks.iter().filter(|stack| stack.what == Counted::OnCpu) {
        let Some(&tid) = same.get(&stack.tid) else {
            continue;
        };
        match known.get(&(tid, stack.frames.clone())) {
            Some(&at) => best.stacks[at].count += stack.count,
            None => best.stacks.push(Stack { tid, ..stack.clone() }),
        }
    }
}

/// Threads of another run by their like: the one of the same name that began in the same place among those.
fn same_threads(best: &[Thread], other: &[Thread]) -> HashMap<u32, u32> {
    let ours: HashMap<(&str, usize), u32> = places(best).collect();
    let theirs = places(other);
    theirs
        .filter_map(|(place, tid)| Some((tid, *ours.get(&place)?)))
        .collect()
}

fn places(threads: &[Thread]) -> impl Iterator<Item = ((&str, usize), u32)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    threads.iter().enumerate().map(move |(at, thread)| {
        // The root's main thread comes first, whatever its last name.
        let name = if at == 0 { "" } else { thread.name.as_str() };
        let place = seen.entry(name).or_default();
        *place += 1;
        ((name, *place), thread.tid)
    })
}
