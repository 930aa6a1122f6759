//! Which counters a run has, where the processor has fewer than there are events.
//!
//! A PMU that is asked for more than it has gives each its turn, by the clock: a run of a millisecond is over before the
//! second had its own. So runs take turns instead. Events that belong together are opened as a group, which counts all of
//! the time or none of it; as many groups go into one set as were seen to count together on this processor; and each run has
//! one set, the next run the next. Every count of every run is then whole. A group that does not even fit by itself is
//! opened singly, and what comes of that is scaled up and flagged ([`super::Reading`]).

use std::hint;
use std::io;
use std::time::{Duration, Instant};

use perf_event::Counter;

use super::{Counted, CounterKind, HardwareEvent};

/// How long counters are watched to see whether they count together: a turn of the kernel's is 1 to 4 ms.
const TRIAL: Duration = Duration::from_micros(500);

/// What this machine counts.
#[derive(Debug)]
pub struct Counters {
    /// What of the processor's each run in turn has; one set at least, which may be empty.
    pub sets: Vec<Vec<CounterKind>>,
    /// What containers have beside it: the kernel's own counts.
    pub software: Vec<CounterKind>,
    /// What of the processor's this machine does not have, and why.
    pub missing: Vec<(Counted, String)>,
    /// One of each kind, held open: see [`CounterKind::open`].
    held: Vec<Counter>,
}

impl Counters {
    /// Tries all there are on the calling thread.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let mut this = Self {
            sets: Vec::new(),
            software: Counted::SOFTWARE.map(CounterKind::of).into(),
            missing: Vec::new(),
            held: Vec::new(),
        };
        let groups = HardwareEvent::GROUPS.map(|group| this.there(Counted::of_group(group)));
        let groups: Vec<Vec<Counted>> = groups.into_iter().filter(|group| !group.is_empty()).collect();
        this.sets = packed(&groups, count_together)
            .into_iter()
            .map(|set| kinds(&set))
            .collect();
        this
    }

    /// What the run of this number has.
    #[must_use]
    pub fn of_run(&self, number: u64) -> &[CounterKind] {
        let turn = number % self.sets.len() as u64;
        &self.sets[turn as usize]
    }

    /// Those of these that open.
    fn there(&mut self, all: impl Iterator<Item = Counted>) -> Vec<Counted> {
        let opens = |counted: &Counted| match CounterKind::of(*counted).open() {
            Ok(counter) => {
                self.held.push(counter);
                true
            }
            Err(error) => {
                self.missing.push((*counted, error.to_string()));
                false
            }
        };
        all.filter(opens).collect()
    }
}

/// Groups of one set; the second says whether each is opened as a group.
type Set = Vec<(Vec<Counted>, bool)>;

/// As many groups into each set as fit together; a group that does not fit is alone, and opened singly.
fn packed(groups: &[Vec<Counted>], mut fit: impl FnMut(&[Vec<Counted>]) -> bool) -> Vec<Set> {
    let mut sets: Vec<Vec<Vec<Counted>>> = vec![Vec::new()];
    let mut singly = Vec::new();
    for group in groups {
        if !fit(std::slice::from_ref(group)) {
            singly.push(vec![(group.clone(), false)]);
            continue;
        }
        let set = sets.last_mut().expect("there is one from the beginning");
        let together = [set.as_slice(), std::slice::from_ref(group)].concat();
        if set.is_empty() || fit(&together) {
            *set = together;
        } else {
            sets.push(vec![group.clone()]);
        }
    }
    if !singly.is_empty() {
        sets.retain(|set| !set.is_empty());
    }
    let grouped = |set: Vec<Vec<Counted>>| set.into_iter().map(|group| (group, true)).collect();
    sets.into_iter().map(grouped).chain(singly).collect()
}

/// A set as a list of kinds, with the leader of each group by its place in it.
fn kinds(set: &[(Vec<Counted>, bool)]) -> Vec<CounterKind> {
    let mut kinds = Vec::new();
    for (group, together) in set {
        let leader = kinds.len();
        for (place, &counted) in group.iter().enumerate() {
            let mut kind = CounterKind::of(counted);
            kind.leader = (*together && place > 0).then_some(leader);
            kinds.push(kind);
        }
    }
    kinds
}

/// Whether these groups, opened on the calling thread, all count all of the time.
fn count_together(groups: &[Vec<Counted>]) -> bool {
    let opened: io::Result<Vec<Vec<Counter>>> = groups.iter().map(|group| open_group(group)).collect();
    let Ok(mut opened) = opened else { return false };
    let mut counters = opened.iter_mut().flatten();
    counters.all(|counter| counter.enable().is_ok()) && {
        let begun = Instant::now();
        while begun.elapsed() < TRIAL {
            hint::spin_loop();
        }
        opened.iter_mut().flatten().all(counted_throughout)
    }
}

fn open_group(group: &[Counted]) -> io::Result<Vec<Counter>> {
    let mut opened: Vec<Counter> = Vec::new();
    for counted in group {
        let builder = counted.builder();
        let counter = match opened.first_mut() {
            Some(leader) => builder.build_with_group(leader)?,
            None => builder.build()?,
        };
        opened.push(counter);
    }
    Ok(opened)
}

fn counted_throughout(counter: &mut Counter) -> bool {
    counter.read_full().is_ok_and(|read| {
        let running = read.time_running().unwrap_or_default();
        !running.is_zero() && Some(running) == read.time_enabled()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Vec<Counted>> {
        HardwareEvent::GROUPS
            .map(|group| Counted::of_group(group).collect())
            .into()
    }

    /// Sets as a processor with so many counters makes them, told by their lengths.
    fn lengths(counters: usize) -> Vec<Vec<(usize, bool)>> {
        let fit = |groups: &[Vec<Counted>]| groups.iter().map(Vec::len).sum::<usize>() <= counters;
        let sets = packed(&groups(), fit).into_iter();
        sets.map(|set| {
            set.into_iter()
                .map(|(group, together)| (group.len(), together))
                .collect()
        })
        .collect()
    }

    #[test]
    fn a_pmu_large_enough_counts_everything_in_every_run() {
        assert_eq!(lengths(14), [[(4, true), (4, true), (4, true), (2, true)]]);
    }

    #[test]
    fn a_smaller_one_counts_whole_groups_in_turns() {
        assert_eq!(
            lengths(8),
            [vec![(4, true), (4, true)], vec![(4, true), (2, true)]]
        );
        assert_eq!(lengths(4).len(), 4);
    }

    #[test]
    fn a_group_that_never_fits_is_opened_singly() {
        assert_eq!(
            lengths(2),
            [[(2, true)], [(4, false)], [(4, false)], [(4, false)]]
        );
        assert_eq!(lengths(1).len(), 4);
        assert!(lengths(1).iter().flatten().all(|(_, together)| !together));
    }

    #[test]
    fn without_any_there_is_one_set_of_nothing() {
        let sets = packed(&[], |_| unreachable!("nothing is to be tried"));
        assert_eq!(sets, [Set::new()]);
        assert!(kinds(&sets[0]).is_empty());
    }

    #[test]
    fn a_groups_leader_is_its_first() {
        let set: Set = vec![(groups()[0].clone(), true), (groups()[1].clone(), false)];
        let leaders: Vec<Option<usize>> = kinds(&set).iter().map(|kind| kind.leader).collect();
        let first = Some(0);
        assert_eq!(leaders, [None, first, first, first, None, None, None, None]);
    }

    #[test]
    fn every_count_of_the_processors_is_in_a_set_or_missing() {
        let found = Counters::of_this_machine();
        let in_sets = found.sets.iter().flatten().map(|kind| kind.counted);
        let mut all: Vec<Counted> = in_sets
            .chain(found.missing.iter().map(|(counted, _)| *counted))
            .collect();
        all.sort_unstable();
        let mut hardware = Counted::all().split_off(Counted::SOFTWARE.len());
        hardware.sort_unstable();
        assert_eq!(all, hardware);
        assert!(!found.sets.is_empty());
    }
}
