//! Comparisons: a program held against itself again and again, a difference that was planted, and when runs end that
//! go on until a figure is known.

use wbd_analysis::compare::Side;
use wbd_model::compare::{Compared, Comparison, Verdict};
use wbd_model::{Cell, CellRef, Experiment, Metric, Sample};
use wbd_tests::Home;

/// How often a program is held against itself.
const PAIRS: usize = 200;
/// Runs of each of the two.
const RUNS: usize = 30;
/// Of so many at 5 % each: 10 are expected, and more than 20 come in less than 2 of 1,000 cases.
const MOST_WRONG: usize = 20;

fn compare(home: &Home, a: &str, b: &str) -> Comparison {
    home.wbctl(&["--json", "compare", a, b]).expect(0).json()
}

fn compared(comparison: &Comparison, metric: Metric) -> &Compared {
    let metrics = &comparison.pairs[0].metrics;
    metrics.iter().find(|compared| compared.metric == metric).unwrap()
}

/// The runs of one experiment, dealt to two cells in turns, as two cells of one target would be run if there could be
/// two. Of two experiments one after the other the load of the machine may differ, which is a difference. Needs root.
#[test]
fn a_program_held_against_itself_200_times_seldom_differs() {
    let home = Home::new();
    let _wbd = home.start();
    let runs = (PAIRS * 2 * RUNS).to_string();
    let made = home.measure(&["-t", "native", "-n", &runs]);
    let told = made.cells[0]
        .samples
        .chunks(2 * RUNS)
        .filter(|runs| differs(&made, runs))
        .count();
    eprintln!("of {PAIRS} pairs of the same, {told} are told to differ");
    assert!(told <= MOST_WRONG, "{told} of {PAIRS}");
}

/// Whether every other run is told to differ from those between them.
fn differs(made: &Experiment, runs: &[Sample]) -> bool {
    let every_other = |skipped: usize| Cell {
        samples: runs.iter().skip(skipped).step_by(2).cloned().collect(),
        ..made.cells[0].clone()
    };
    let dealt = Experiment {
        cells: vec![every_other(0), every_other(1)],
        ..made.clone()
    };
    let names: [CellRef; 2] = ["latest:0", "latest:1"].map(|name| name.parse().unwrap());
    let [a, b] = names.each_ref().map(|name| Side {
        name,
        experiment: &dealt,
    });
    let comparison = wbd_analysis::compare::compare(&a, &b, &[]).unwrap();
    assert_eq!(comparison.tests, 4);
    let metrics = &comparison.pairs[0].metrics;
    metrics.iter().any(|compared| compared.verdict.is_difference())
}

/// Needs root.
#[test]
fn a_planted_difference_is_found_and_crosses_a_threshold() {
    let home = Home::new();
    let _wbd = home.start();
    let spin = home.program("spin");
    home.measure(&["-n", "40", "--", &spin, "5"]);
    home.measure(&["-n", "40", "--", &spin, "6"]);
    // The time on a CPU is what is planted; on a busy machine the wall time between two experiments differs as much.
    let line = ["--json", "compare", "1", "latest:0", "--metric", "cpu_time"];
    let found: Comparison = home.wbctl(&line).expect(0).json();
    let cpu_time = compared(&found, Metric::CpuTime);
    assert_eq!(cpu_time.verdict, Verdict::Higher, "{cpu_time:#?}");
    let ratio = cpu_time.ratio.unwrap();
    assert!((1.1..1.3).contains(&ratio.value), "{ratio:?}");
    assert!(
        ratio.ci95[0] <= ratio.value && ratio.value <= ratio.ci95[1],
        "{ratio:?}"
    );
    assert!(cpu_time.text.starts_with("slower by "), "{}", cpu_time.text);
    assert!(
        found
            .warnings
            .iter()
            .any(|warning| warning.contains("different work: `spin 5` and `spin 6`"))
    );
    let threshold = |percent| {
        home.wbctl(&[
            "compare",
            "1",
            "2",
            "--metric",
            "cpu_time",
            "--threshold",
            percent,
        ])
    };
    threshold("5%").expect(1).saying(&["1 difference is beyond 5 %"]);
    let text = threshold("50").expect(0).stdout;
    assert!(text.contains("slower by ") && !text.contains("startup"), "{text}");
    threshold("150%").expect(0);
    home.fail(&["-n", "3", "--", &home.program("exit_code"), "3"]);
    let broken = home
        .wbctl(&["compare", "1:0", "latest:0", "--threshold", "5"])
        .expect(1)
        .saying(&["nothing that could be compared"]);
    let said = broken.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("no run that counts (exited with code 3)"), "{said}");
    home.wbctl(&["compare", "1", "99"]).expect(2).saying(&["`99`"]);
    home.wbctl(&["compare", "1:7", "2"])
        .expect(2)
        .saying(&["command/spin"]);
}

/// Needs root.
#[test]
fn cells_of_one_experiment_are_compared_in_turns() {
    let home = Home::new();
    let _wbd = home.start();
    home.measure(&["-t", "native", "-t", "native-dynamic", "-n", "40"]);
    let found = compare(&home, "latest:native/empty", "latest:native-dynamic/empty");
    assert!(found.pairs[0].interleaved);
    let startup = compared(&found, Metric::Startup);
    assert_eq!(
        startup.verdict,
        Verdict::Higher,
        "the dynamic linker takes its time: {startup:#?}"
    );
    assert_eq!(startup.test.unwrap().dependence, 1.0);
}

/// Needs root.
#[test]
fn runs_go_on_until_the_medians_are_known_or_the_time_is_up() {
    let home = Home::new();
    let _wbd = home.start();
    let line = ["-t", "native", "-t", "native-dynamic", "--until"];
    let known = home.measure(&[&line[..], &["10%"]].concat());
    let rounds = known.cells[0].runs;
    assert!(
        (20..10_000).contains(&rounds) && known.cells[1].runs == rounds,
        "{rounds}"
    );
    for cell in &known.cells {
        for metric in [Metric::Startup, Metric::Wall] {
            let summary = &cell.metrics[&metric];
            let farther = summary
                .ci95
                .map(|end| end.abs_diff(summary.p50))
                .into_iter()
                .max()
                .unwrap();
            assert!(
                farther as f64 <= 0.1 * summary.p50 as f64,
                "{metric}: {summary:?}"
            );
        }
    }
    let told = |made: &Experiment, words: &str| {
        assert!(
            made.warnings.iter().any(|warning| warning.contains(words)),
            "{:?}",
            made.warnings
        );
    };
    told(&known, "the medians were known closely enough");
    told(
        &home.measure(&[&line[..], &["0.001%", "-n", "25"]].concat()),
        "all runs were made that -n allows",
    );
    let up = home.measure(&[&line[..], &["0.001%", "--budget", "300ms"]].concat());
    told(&up, "the time of 300ms was up");
    assert!(up.cells[0].runs < 10_000);
}
