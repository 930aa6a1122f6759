//! The order in which runs are made: shuffled, interleaved, and the same again from the same seed.

use std::fs;

use wbd_model::Experiment;
use wbd_tests::Home;

/// The order of all runs as the places of the first cell's.
fn order(made: &Experiment) -> Vec<u32> {
    made.cells[0].samples.iter().map(|sample| sample.order).collect()
}

/// Needs root.
#[test]
fn the_order_is_shuffled_interleaved_and_comes_again_from_its_seed() {
    let home = Home::new();
    let _wbd = home.start();
    let line = ["-t", "native", "-t", "native-dynamic", "-n", "40", "--seed"];
    let [one, again, other] = ["7", "7", "8"].map(|seed| home.measure(&[&line[..], &[seed]].concat()));
    assert_eq!(order(&one), order(&again));
    assert_ne!(order(&one), order(&other));
    let first = order(&one).iter().filter(|place| *place % 2 == 0).count();
    assert!((1..40).contains(&first), "one cell always comes first");
    for (round, place) in (0..).zip(order(&one)) {
        assert_eq!(
            place / 2,
            round,
            "both cells are in every round: {:?}",
            order(&one)
        );
    }
}

/// Needs root.
#[test]
fn a_seed_that_was_chosen_is_told_and_serves_again() {
    let home = Home::new();
    let _wbd = home.start();
    let line = ["-t", "native", "-t", "native-dynamic", "-n", "30"];
    let chosen = home.measure(&line);
    let again = home.measure(&[&line[..], &["--seed", &chosen.seed.to_string()]].concat());
    assert_eq!((order(&chosen), chosen.seed), (order(&again), again.seed));
    assert!(chosen.seed < 1 << 53, "every JSON reader must keep it whole");
}

/// Needs root.
#[test]
fn warm_ups_are_made_and_thrown_away() {
    let home = Home::new();
    let _wbd = home.start();
    let told = home.text("told");
    let made = home.measure(&["-n", "5", "--warmup", "3", "--", &home.program("clock"), &told]);
    assert_eq!(fs::read_to_string(told).unwrap().lines().count(), 8);
    assert_eq!(made.cells[0].samples.len(), 5);
    assert!(made.cells[0].cache.contains("warm"), "{}", made.cells[0].cache);
}
