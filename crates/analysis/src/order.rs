//! The order in which the runs of an experiment are made.
//!
//! Cells are interleaved: the machine's slow changes (temperature, other people's load) then strike all cells
//! alike instead of the one that happened to be measured last. Each round holds one run of every cell, in an
//! order of its own, so that no cell always follows the same other one.
//!
//! The stored seed must give the same order in every later version. So the generator ([`crate::random`]) and the
//! shuffle, of Fisher and Yates from the last place down, are written out. Neither may ever change.

use crate::random::SplitMix64;

/// Every run of every cell as (cell, run): round r is the r-th run of each cell, shuffled.
#[must_use]
pub fn shuffled_rounds(cells: usize, runs: u32, seed: u64) -> Vec<(usize, u32)> {
    let mut random = SplitMix64(seed);
    let mut order = Vec::with_capacity(cells.saturating_mul(runs as usize));
    for run in 0..runs {
        let mut round: Vec<(usize, u32)> = (0..cells).map(|cell| (cell, run)).collect();
        shuffle(&mut round, &mut random);
        order.append(&mut round);
    }
    order
}

/// Most bytes by which a run's environment is made longer: a page, as what matters is where in its page the stack
/// begins.
const MAX_PADDING_BYTES: u64 = 4096;

/// By how many bytes the environment of the run at this place of the order is made longer: 0 to 4096, evenly.
#[must_use]
pub fn padding_bytes(seed: u64, place: u32) -> usize {
    let mut places = SplitMix64(seed ^ u64::from(place).rotate_right(16));
    SplitMix64(places.next()).below(MAX_PADDING_BYTES + 1) as usize
}

fn shuffle<T>(items: &mut [T], random: &mut SplitMix64) {
    for last in (1..items.len()).rev() {
        let chosen = random.below(last as u64 + 1);
        items.swap(last, chosen as usize);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paddings_repeat_with_their_seed_and_spread_over_the_page() {
        let all = |seed| -> Vec<usize> { (0..4000).map(|place| padding_bytes(seed, place)).collect() };
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
        let sum: usize = all(7).iter().sum();
        let mean = sum / 4000;
        assert!(
            (1950..2150).contains(&mean),
            "an even choice has a mean of 2048, not {mean}"
        );
        assert!(all(7).iter().all(|&bytes| bytes <= 4096));
        assert!(all(7).iter().collect::<BTreeSet<_>>().len() > 2000);
    }

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut random = SplitMix64(1_234_567);
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(published.map(|_| random.next()), published);
    }

    #[test]
    fn the_order_of_a_seed_never_changes() {
        let cells: Vec<usize> = shuffled_rounds(5, 2, 7)
            .into_iter()
            .map(|(cell, _)| cell)
            .collect();
        assert_eq!(cells, [4, 1, 3, 0, 2, 2, 0, 3, 1, 4]);
    }

    #[test]
    fn every_order_of_a_round_is_about_as_frequent() {
        let mut seen = std::collections::BTreeMap::new();
        for round in shuffled_rounds(3, 60_000, 1).chunks(3) {
            *seen.entry([round[0].0, round[1].0, round[2].0]).or_insert(0_u32) += 1;
        }
        assert_eq!(seen.len(), 6);
        // 10,000 expected of each, with a standard deviation of 91.
        assert!(
            seen.values().all(|count| count.abs_diff(10_000) < 450),
            "{seen:?}"
        );
    }

    proptest! {
        #[test]
        fn round_r_holds_run_r_of_every_cell(cells in 0_usize..20, runs in 0_u32..20, seed: u64) {
            let order = shuffled_rounds(cells, runs, seed);
            prop_assert_eq!(order.len(), cells * runs as usize);
            for (run, round) in order.chunks(cells.max(1)).enumerate() {
                prop_assert!(round.iter().all(|&(_, r)| r as usize == run));
                let held: BTreeSet<usize> = round.iter().map(|&(cell, _)| cell).collect();
                prop_assert_eq!(held, (0..cells).collect::<BTreeSet<_>>());
            }
        }

        #[test]
        fn a_seed_gives_one_order(seed: u64) {
            prop_assert_eq!(shuffled_rounds(8, 8, seed), shuffled_rounds(8, 8, seed));
            prop_assert_ne!(shuffled_rounds(8, 8, seed), shuffled_rounds(8, 8, seed.wrapping_add(1)));
        }
    }
}
