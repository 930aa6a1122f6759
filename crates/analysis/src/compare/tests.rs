//! How often a verdict is wrong, on simulated cells of which the truth is known; and the rest of a comparison.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wbd_model::compare::{Comparison, Verdict};
use wbd_model::document::State;
use wbd_model::{Cell, CellRef, Exit, Experiment, Metric, SCHEMA, Sample};

use super::{LEVEL, Side, Unpaired, compare};

/// Runs of a no-op as they come: most within some per cent, a tail of runs that were held up, a timer's grain that
/// makes many equal, and a machine whose state wanders from run to run.
struct Runs {
    random: StdRng,
    /// How much of the machine's state stays from one run to the next, and how far it moves.
    state: f64,
    wander: f64,
}

impl Runs {
    fn new(seed: u64, wander: f64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            state: 0.0,
            wander,
        }
    }

    /// One run of a program that takes `factor` times 50,000 ns.
    fn one(&mut self, factor: f64) -> u64 {
        const GRAIN_NS: f64 = 250.0;
        self.state = 0.9 * self.state + self.wander * self.normal();
        let mut shift = self.state + 0.03 * self.normal();
        if self.random.random::<f64>() < 0.1 {
            shift += -0.3 * self.random.random::<f64>().ln();
        }
        ((50_000.0 * factor * shift.exp() / GRAIN_NS).round() * GRAIN_NS) as u64
    }

    fn many(&mut self, n: usize, factor: f64) -> Vec<u64> {
        (0..n).map(|_| self.one(factor)).collect()
    }

    /// Two cells in turns, the second taking `factor` times as long.
    fn turns(&mut self, n: usize, factor: f64) -> (Vec<u64>, Vec<u64>) {
        (0..n).map(|_| (self.one(1.0), self.one(factor))).unzip()
    }

    fn normal(&mut self) -> f64 {
        let (u, v) = (self.random.random::<f64>(), self.random.random::<f64>());
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

fn cell(target: &str, values: &[u64]) -> Cell {
    let sample = |(run, &value): (u32, &u64)| Sample {
        run,
        order: run,
        valid: true,
        exit: Exit::Code(0),
        instants: BTreeMap::new(),
        metrics: [(Metric::Startup, value)].into(),
        notes: Vec::new(),
        threads: Vec::new(),
    };
    Cell {
        target: target.to_owned(),
        workload: "empty".to_owned(),
        args: Vec::new(),
        size: None,
        disk: None,
        cache: String::new(),
        runs: values.len() as u32,
        valid: values.len() as u32,
        failed: 0,
        metrics: [(Metric::Startup, crate::summarize(Metric::Startup, values))]
            .into_iter()
            .filter_map(|(metric, summary)| Some((metric, summary?)))
            .collect(),
        phases: Vec::new(),
        unavailable: BTreeMap::new(),
        samples: (0..).zip(values).map(sample).collect(),
        failures: BTreeMap::new(),
        remarks: BTreeMap::new(),
        outliers: Vec::new(),
        outlier_causes: BTreeMap::new(),
    }
}

fn experiment(name: &str, cells: Vec<Cell>) -> Experiment {
    Experiment {
        schema: SCHEMA,
        experiment: name.to_owned(),
        created: 0,
        state: State::Done,
        seed: 1,
        machine: Default::default(),
        cells,
        warnings: Vec::new(),
    }
}

fn held(a: (&Experiment, &str), b: (&Experiment, &str), metrics: &[Metric]) -> Result<Comparison, Unpaired> {
    let [one, other]: [CellRef; 2] = [a.1, b.1].map(|name| name.parse().unwrap());
    let side = |experiment, name| Side { name, experiment };
    compare(&side(a.0, &one), &side(b.0, &other), metrics)
}

/// Two cells measured one after the other.
fn apart(a: &[u64], b: &[u64]) -> Comparison {
    let [a, b] = [("1", a), ("2", b)].map(|(name, values)| experiment(name, vec![cell("native", values)]));
    held((&a, "1"), (&b, "2"), &[]).unwrap()
}

/// Two cells measured in turns.
fn in_turns((a, b): &(Vec<u64>, Vec<u64>)) -> Comparison {
    let both = experiment("1", vec![cell("native", a), cell("native-dynamic", b)]);
    held((&both, "1:0"), (&both, "1:1"), &[]).unwrap()
}

fn first(comparison: &Comparison) -> &wbd_model::compare::Compared {
    &comparison.pairs[0].metrics[0]
}

fn found(comparison: &Comparison) -> bool {
    first(comparison).verdict.is_difference()
}

fn count(trials: usize, mut trial: impl FnMut() -> bool) -> usize {
    (0..trials).filter(|_| trial()).count()
}

/// By how many standard deviations a count lies above what the level claims.
fn beyond_level(count: usize, trials: usize) -> f64 {
    let expected = LEVEL * trials as f64;
    (count as f64 - expected) / (expected * (1.0 - LEVEL)).sqrt()
}

#[test]
fn without_a_difference_the_test_alone_is_wrong_in_5_of_100_cases() {
    let mut runs = Runs::new(1, 0.0);
    let wrong = count(2_000, || {
        let (a, b) = (runs.many(30, 1.0), runs.many(30, 1.0));
        super::rank_test::mann_whitney(&a, &b, 1.0).p < LEVEL
    });
    assert!(beyond_level(wrong, 2_000).abs() < 3.0, "{wrong} of 2,000");
}

#[test]
fn without_a_difference_one_is_told_in_5_of_100_cases_at_most() {
    for (wander, most) in [(0.0, 0.0), (0.01, 3.0), (0.03, 3.0)] {
        let mut runs = Runs::new(2, wander);
        let wrong = count(500, || found(&in_turns(&runs.turns(30, 1.0))));
        assert!(
            beyond_level(wrong, 500) < most,
            "in turns, wander {wander}: {wrong} of 500"
        );
        let wrong = count(500, || found(&apart(&runs.many(30, 1.0), &runs.many(30, 1.0))));
        assert!(
            beyond_level(wrong, 500) < most,
            "apart, wander {wander}: {wrong} of 500"
        );
    }
}

/// The state of the machine moves on between two experiments, too: what the test alone would make of that.
#[test]
fn where_the_machine_wanders_the_test_alone_is_wrong_more_often_and_the_verdict_is_not() {
    let mut runs = Runs::new(3, 0.03);
    let (mut alone, mut told) = (0, 0);
    for _ in 0..500 {
        let (a, b) = (runs.many(60, 1.0), runs.many(60, 1.0));
        alone += usize::from(super::rank_test::mann_whitney(&a, &b, 1.0).p < LEVEL);
        told += usize::from(found(&apart(&a, &b)));
    }
    assert!(beyond_level(alone, 500) > 10.0, "{alone} of 500");
    assert!(beyond_level(told, 500) < 3.0, "{told} of 500");
}

#[test]
fn a_shift_of_5_percent_is_found() {
    let mut runs = Runs::new(4, 0.0);
    for (n, turns) in [(100, true), (200, false)] {
        let seen = count(200, || {
            let (a, b) = if turns {
                runs.turns(n, 1.05)
            } else {
                (runs.many(n, 1.0), runs.many(n, 1.05))
            };
            let compared = if turns { in_turns(&(a, b)) } else { apart(&a, &b) };
            first(&compared).verdict == Verdict::Higher
        });
        assert!(seen >= 190, "{seen} of 200 with {n} runs, in turns: {turns}");
    }
}

/// What is said to be detectable must be: planted, it is found about 80 times in 100.
#[test]
fn a_difference_of_the_detectable_size_is_found_about_80_times_in_100() {
    const TRIALS: usize = 300;
    let mut runs = Runs::new(5, 0.0);
    for turns in [true, false] {
        let mut one = |factor| {
            if turns {
                in_turns(&runs.turns(60, factor))
            } else {
                apart(&runs.many(60, 1.0), &runs.many(60, factor))
            }
        };
        let mut detectable: Vec<f64> = (0..101).filter_map(|_| first(&one(1.0)).detectable).collect();
        detectable.sort_by(f64::total_cmp);
        let planted = 1.0 + detectable[detectable.len() / 2];
        let seen = count(TRIALS, || found(&one(planted)));
        let share = seen as f64 / TRIALS as f64;
        assert!(
            (0.7..0.93).contains(&share),
            "{share} of those of {planted}, in turns: {turns}"
        );
    }
}

#[test]
fn of_many_cells_without_a_difference_none_is_told_in_95_of_100_cases() {
    let mut runs = Runs::new(6, 0.0);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let wrong = count(100, || {
        let [a, b] = ["1", "2"].map(|name| {
            let cells = names.map(|target| cell(target, &runs.many(20, 1.0)));
            experiment(name, cells.to_vec())
        });
        let compared = held((&a, "1"), (&b, "2"), &[]).unwrap();
        assert_eq!((compared.tests, compared.pairs.len()), (8, 8));
        compared
            .pairs
            .iter()
            .any(|pair| pair.metrics[0].verdict.is_difference())
    });
    assert!(beyond_level(wrong, 100) < 3.0, "{wrong} of 100");
}

#[test]
fn a_verdict_says_which_way_and_how_much() {
    let base: Vec<u64> = (0..40).map(|i| 10_000 + i % 7).collect();
    let scaled = |percent: u64| base.iter().map(|value| value * percent / 100).collect::<Vec<_>>();
    for (percent, verdict, words) in [
        (110, Verdict::Higher, "slower by 10 % (10.0 to 10.0)"),
        (80, Verdict::Lower, "faster by 20 % (20.0 to 20.0)"),
        (250, Verdict::Higher, "slower: 2.50 x (2.50 to 2.50)"),
    ] {
        let compared = apart(&base, &scaled(percent));
        assert_eq!(
            (first(&compared).verdict, &first(&compared).text[..]),
            (verdict, words)
        );
    }
    let same = apart(&base, &base);
    assert_eq!(first(&same).verdict, Verdict::NoDifference);
    assert!(
        first(&same)
            .text
            .starts_with("no difference detectable; one of 0.0"),
        "{}",
        first(&same).text
    );
}

#[test]
fn a_difference_as_large_as_a_cells_own_is_within_the_noise() {
    let (rising, above): (Vec<u64>, Vec<u64>) = ((1_000..1_200).collect(), (1_150..1_350).collect());
    let compared = apart(&rising, &above);
    assert_ne!(first(&compared).verdict, Verdict::Higher, "{compared:#?}");
    assert!(
        compared
            .warnings
            .iter()
            .any(|warning| warning.contains("startup drifted"))
    );
    let turns = in_turns(&(rising, above));
    assert_eq!(
        first(&turns).verdict,
        Verdict::Higher,
        "in turns both drift alike"
    );
}

#[test]
fn too_few_runs_say_so_also_where_they_are_too_few_for_so_many_tests() {
    let (low, high) = ([1, 2, 3, 4, 5, 6], [11, 12, 13, 14, 15, 16]);
    let five = apart(&low[..5], &high);
    assert_eq!(first(&five).verdict, Verdict::TooFew);
    assert_eq!(first(&five).text, "too few runs: 5 and 6, of 6 that it takes");
    // 2 of the 924 ways to deal them out are as extreme: with 24 tests that is more than 5 %.
    let cells = |values: &[u64]| (0..24).map(|n| cell(&format!("t{n}"), values)).collect();
    let [a, b] = [("1", low), ("2", high)].map(|(name, values)| experiment(name, cells(&values)));
    let many = held((&a, "1"), (&b, "2"), &[]).unwrap();
    assert_eq!(first(&many).text, "too few runs for 24 tests: 6 and 6");
}

#[test]
fn what_cannot_be_compared_says_why() {
    let mut zeros = cell("zeros", &[0; 10]);
    zeros.unavailable.insert(Metric::Cycles, "no counters".to_owned());
    let one = experiment("1", vec![cell("native", &[5; 10]), zeros]);
    let text = |a, b, metric| {
        first(&held((&one, a), (&one, b), &[metric]).unwrap())
            .text
            .clone()
    };
    assert_eq!(text("1:0", "1:0", Metric::Startup), "it is the same cell");
    assert_eq!(
        text("1:zeros/empty", "1:0", Metric::Cycles),
        "A has no cycles: no counters"
    );
    assert_eq!(text("1:0", "1:1", Metric::Wall), "A has no wall");
    assert!(text("1:1", "1:0", Metric::Startup).contains("values of 0"));
}

#[test]
fn cells_are_named_and_experiments_compare_what_they_have_in_common() {
    let values: Vec<u64> = (100..130).collect();
    let of = |name: &str, targets: &[&str]| {
        experiment(name, targets.iter().map(|target| cell(target, &values)).collect())
    };
    let (a, b, c) = (
        of("1", &["native", "docker", "wasmi"]),
        of("2", &["wasmi", "native"]),
        of("3", &["wasm3"]),
    );
    let both = held((&a, "1"), (&b, "2"), &[]).unwrap();
    let names: Vec<_> = both
        .pairs
        .iter()
        .map(|pair| (pair.a.number, pair.b.number))
        .collect();
    assert_eq!(names, [(0, 1), (2, 0)]);
    assert_eq!(
        held((&a, "1:docker/empty"), (&c, "3"), &[]).unwrap().pairs.len(),
        1
    );
    let error = |result: Result<Comparison, Unpaired>| result.unwrap_err().to_string();
    assert!(error(held((&a, "1"), (&c, "3"), &[])).contains("no cell in common"));
    assert!(error(held((&a, "1:9"), (&c, "3"), &[])).contains("native/empty, docker/empty"));
    let twice = of("4", &["native", "native"]);
    assert!(error(held((&twice, "4:native/empty"), (&c, "3"), &[])).contains("0 (), 1 ()"));
}

#[test]
fn machines_that_differ_are_told_field_by_field() {
    let values: Vec<u64> = (100..130).collect();
    let [mut a, mut b] = ["1", "2"].map(|name| experiment(name, vec![cell("native", &values)]));
    a.machine.kernel = "6.1".to_owned();
    b.machine.kernel = "6.18".to_owned();
    b.machine.governor = Some("powersave".to_owned());
    b.machine.load_centi = 250;
    let turbo = |found: &str| {
        [("turbo", found), ("load", found)].map(|(name, found)| (name.to_owned(), found.to_owned()))
    };
    a.machine.environment = turbo("off").into();
    b.machine.environment = turbo("on").into();
    b.machine.disturbing = ["turbo", "load"].map(str::to_owned).into();
    b.cells[0].args.push("9".to_owned());
    let said = held((&a, "1"), (&b, "2"), &[]).unwrap().warnings.join("\n");
    for words in [
        "the machines differ (A, B): kernel 6.1 and 6.18; turbo off and on; governor unknown and powersave",
        "load was 0.00 before A and 2.50 before B",
        "B was disturbed by load (on), A was not",
        "not measured in turns",
        "different work: `empty` and `empty 9`",
    ] {
        assert!(said.contains(words), "{said}");
    }
}
