//! A comparison: two cells after the other, one row for each metric, and what to know before believing it.

use wbd_model::Summary;
use wbd_model::compare::{Compared, ComparedCell, Comparison, Pair};

use super::table::{left, plain, right, table};
use super::units::figure;
use super::{ABSENT, workload};

const LEGEND: &str = "B against A, medians; in brackets the 95 % interval of the ratio (bootstrap)\n\
    p: of Mann and Whitney's test, corrected for all tests of this comparison (Holm)\n";

/// All of it as text.
pub(crate) fn draw(comparison: &Comparison) -> String {
    let mut text: String = comparison.pairs.iter().map(pair).collect();
    text += LEGEND;
    for warning in &comparison.warnings {
        text += &format!("warning: {}\n", plain(warning));
    }
    text
}

fn pair(pair: &Pair) -> String {
    let columns = ["A", "B", "p"].map(right);
    let headings: Vec<_> = std::iter::once(left("metric"))
        .chain(columns)
        .chain(std::iter::once(left("verdict on B")))
        .collect();
    let rows = pair.metrics.iter().map(row).collect();
    let order = if pair.interleaved { ", in turns" } else { "" };
    format!(
        "A {}{}\nB {}{}{order}\n{}\n",
        plain(&name(&pair.a)),
        runs(pair, |compared| compared.a.as_ref()),
        plain(&name(&pair.b)),
        runs(pair, |compared| compared.b.as_ref()),
        table(&headings, rows)
    )
}

fn name(cell: &ComparedCell) -> String {
    let args = cell.args.join(" ");
    let space = if args.is_empty() { "" } else { " " };
    let workload = workload(&cell.workload, cell.size);
    format!("{}:{}/{workload}{space}{args}", cell.experiment, cell.target)
}

/// How many runs are behind the figures: the most that any metric has.
fn runs<'a>(pair: &'a Pair, side: impl Fn(&'a Compared) -> Option<&'a Summary>) -> String {
    let runs = pair
        .metrics
        .iter()
        .filter_map(side)
        .map(|summary| summary.n)
        .max();
    runs.map_or_else(String::new, |runs| format!(", {runs} runs"))
}

fn row(compared: &Compared) -> Vec<String> {
    let median = |summary: &Option<Summary>| {
        let figure = summary.as_ref().map(|summary| figure(summary.p50, summary.unit));
        figure.unwrap_or_else(|| ABSENT.to_owned())
    };
    vec![
        compared.metric.to_string(),
        median(&compared.a),
        median(&compared.b),
        compared
            .test
            .map_or_else(|| ABSENT.to_owned(), |test| chance(test.p_holm)),
        compared.text.clone(),
    ]
}

fn chance(p: f64) -> String {
    if p < 0.001 {
        return "<0.001".to_owned();
    }
    format!("{p:.3}")
}

#[cfg(test)]
mod tests {
    use wbd_model::compare::{Test, Verdict};
    use wbd_model::{Metric, SCHEMA};

    use super::super::specimen;
    use super::*;

    fn specimen() -> Comparison {
        let experiment = specimen::experiment();
        let summary = experiment.cells[0].metrics[&Metric::Startup].clone();
        let cell = |target: &str| ComparedCell {
            experiment: "7".to_owned(),
            number: 0,
            target: target.to_owned(),
            workload: "empty".to_owned(),
            args: Vec::new(),
            size: None,
        };
        let compared = |metric, text: &str, p_holm| Compared {
            metric,
            a: Some(summary.clone()),
            b: Some(summary.clone()),
            ratio: None,
            test: Some(Test {
                u: 9.0,
                p: p_holm,
                p_holm,
                dependence: 1.0,
            }),
            noise: None,
            detectable: None,
            verdict: Verdict::Higher,
            text: text.to_owned(),
        };
        Comparison {
            schema: SCHEMA,
            level: 0.05,
            tests: 2,
            pairs: vec![Pair {
                a: cell("native"),
                b: cell("a\x1b[2J"),
                interleaved: true,
                metrics: vec![
                    compared(
                        Metric::Startup,
                        "slower by 14 % (12.2 to 15.1), within the noise of 15 %",
                        0.00002,
                    ),
                    compared(
                        Metric::RssPeak,
                        "no difference detectable; one of 3.1 % would have been",
                        0.25,
                    ),
                ],
            }],
            warnings: vec!["beware".to_owned()],
        }
    }

    #[test]
    fn it_fits_100_columns_and_obeys_no_name() {
        let drawn = draw(&specimen());
        println!("{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() <= 100), "{drawn}");
        assert!(drawn.starts_with("A 7:native/empty, 30 runs\nB 7:a\u{fffd}[2J/empty, 30 runs, in turns\n"));
        assert!(drawn.contains("<0.001  slower by 14 %") && drawn.ends_with("warning: beware\n"));
    }
}
