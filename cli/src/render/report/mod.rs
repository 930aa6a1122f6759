//! The report as text: time and memory as the study laid them out, then every ratio with its interval, the
//! start, the container's cost, and the claims answered.

pub(crate) mod legend;
pub(crate) mod words;

use wbd_model::report::{Claim, Group, Mark, Overhead, Part, Report, Row, Start};

use self::words::{compared, evidence, median, name, start, tally, verdict_name, with_args};
use super::listing::date;
use super::table::{left, plain, right, table};
use super::{NOT_APPLICABLE, notes};

/// Targets side by side in one table of the study's layout.
const TARGETS_ABREAST: usize = 8;

/// The whole report.
pub(crate) fn draw(report: &Report) -> String {
    let mut text = heading(report);
    text += &tables("execution time of the whole command (wall)", &report.time);
    text += &tables("peak memory (rss_peak)", &report.memory);
    text += &startup(report);
    text += &report.overhead.iter().map(overhead).collect::<String>();
    text += &claims(&report.claims);
    text + &legend(report)
}

fn heading(report: &Report) -> String {
    format!(
        "report on experiment {} ({}), {}, seed {}\n{}\ncompared with: {}\n",
        plain(&report.experiment),
        report.state,
        date(report.created),
        report.seed,
        notes::machine(&report.machine),
        plain(&compared_with(report)),
    )
}

/// The machine of the study, or that there is none.
pub(crate) fn compared_with(report: &Report) -> String {
    match &report.study.platform {
        Some(platform) => format!("the study's figures on {platform}"),
        None => format!("nothing: the study has no machine of {}", report.machine.arch),
    }
}

fn tables(title: &str, groups: &[Group]) -> String {
    format!("\n{title}\n{}\n{}", layout(groups), details(groups))
}

/// Workloads down, targets across, as many abreast as a screen takes.
fn layout(groups: &[Group]) -> String {
    let targets = targets(groups);
    let blocks = targets.chunks(TARGETS_ABREAST);
    blocks
        .map(|targets| block(groups, targets))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The targets of all groups, each once.
pub(crate) fn targets(groups: &[Group]) -> Vec<&str> {
    let mut targets: Vec<&str> = Vec::new();
    for row in groups.iter().flat_map(|group| &group.rows) {
        if !targets.contains(&row.target.as_str()) {
            targets.push(&row.target);
        }
    }
    targets
}

fn block(groups: &[Group], targets: &[&str]) -> String {
    let headings: Vec<_> = [left("workload")]
        .into_iter()
        .chain(targets.iter().map(|target| right(&target.replacen('-', "\n", 2))))
        .collect();
    let row = |group: &Group| {
        let cells = targets.iter().map(|target| short(group, target));
        std::iter::once(name(group)).chain(cells).collect()
    };
    table(&headings, groups.iter().map(row).collect())
}

/// A target's figure, and a mark where the study's ratio is another.
pub(crate) fn short(group: &Group, target: &str) -> String {
    let Some(row) = group.rows.iter().find(|row| row.target == target) else {
        return NOT_APPLICABLE.to_owned();
    };
    let mark = if row.compared.mark == Mark::Disagrees {
        "!"
    } else {
        ""
    };
    median(&row.compared.figure) + mark
}

/// One line for each figure, with its ratio and the study's.
fn details(groups: &[Group]) -> String {
    let headings = [
        left("workload"),
        left("target"),
        right("ours\np50"),
        right("\n95 % interval"),
        right("x native\nours"),
        right("\n95 % interval"),
        right("the study's\nfigure"),
        right("\nx native"),
        left("\nthey"),
    ];
    let of_group = |group: &Group| -> Vec<Vec<String>> {
        let line = |row: &Row| {
            let mut line = vec![name(group), row.target.clone()];
            line.extend(compared(&row.compared));
            line
        };
        group.rows.iter().map(line).collect()
    };
    table(&headings, groups.iter().flat_map(of_group).collect())
}

fn startup(report: &Report) -> String {
    let startup = &report.startup;
    let headings = [
        left("target"),
        right("startup\np50"),
        right("docker's /\nstartup"),
        right("\n95 % interval"),
        right("wall\np50"),
        right("docker's /\nwall"),
        right("\n95 % interval"),
        right("the study's\nfigure"),
        right("docker's /\nwall"),
        left("\nthey"),
    ];
    let line = |row: &Start| std::iter::once(row.target.clone()).chain(start(row)).collect();
    let rows = startup.rows.iter().map(line).collect();
    format!(
        "\nstart of {}: until the first instruction (startup), and whole life (wall), which is what the study timed\n{}",
        plain(&with_args(&startup.workload, &startup.args)),
        table(&headings, rows)
    )
}

fn overhead(overhead: &Overhead) -> String {
    let headings = [
        left("part"),
        right("ours\np50"),
        right("\n95 % interval"),
        right("x native\nours"),
        right("\n95 % interval"),
        right("the study's\nfigure"),
        right("\nx native"),
        left("\nthey"),
    ];
    let line = |part: &Part| {
        let mut line = vec![part.part.clone()];
        line.extend(compared(&part.compared));
        line
    };
    format!(
        "\nwhat a container costs, with {} inside; x native: over the native program's peak memory or CPU time\n{}",
        plain(&with_args(&overhead.workload, &overhead.args)),
        table(&headings, overhead.parts.iter().map(line).collect())
    )
}

fn claims(claims: &[Claim]) -> String {
    claims.iter().map(claim).collect()
}

fn claim(claim: &Claim) -> String {
    let mut text = format!(
        "\nclaim: {}\n{}: it takes {}{}\n  the study: {}\n",
        plain(&claim.claim),
        verdict_name(claim.verdict),
        plain(&claim.test),
        tally(&claim.evidence),
        plain(&claim.study),
    );
    for seen in &claim.evidence {
        text += &format!("  {}\n", plain(&evidence(seen)));
    }
    for missing in &claim.missing {
        text += &format!("  missing: {}\n", plain(missing));
    }
    text
}

fn legend(report: &Report) -> String {
    let lines = legend::lines(report).into_iter();
    "\n".to_owned() + &lines.map(|line| plain(&line) + "\n").collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::super::{ABSENT, specimen};
    use super::*;

    #[test]
    fn the_whole_report_reads_well() {
        let drawn = draw(&specimen::report());
        println!("{drawn}");
        for said in [
            "compared with: the study's figures on x86-64",
            "claim: WasmEdge starts 100 times faster than a container\nnot answered",
            "missing: wasmedge-aot was not measured",
            "unavailable: no runner is there",
            "what a container costs, with empty inside",
            "< 0.01 s",
            "the study's sizes were larger (`wbctl run --size seed`), and a ratio may depend on the size: fasta",
        ] {
            assert!(drawn.contains(said), "{said}\n{drawn}");
        }
    }

    #[test]
    fn what_was_not_measured_is_a_dash_with_its_reason() {
        let report = specimen::report();
        let drawn = details(&report.time);
        let line = drawn
            .lines()
            .find(|line| line.starts_with("fasta") && line.contains("wasmedge-aot"))
            .unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "fasta",
                "wasmedge-aot",
                ABSENT,
                "·",
                "·",
                "4.99",
                "s",
                "1.33",
                "not",
                "measured"
            ]
        );
    }

    #[test]
    fn a_disagreement_is_marked_in_both_tables() {
        let mut report = specimen::report();
        for group in &mut report.time {
            group.rows.truncate(2);
            group
                .rows
                .iter_mut()
                .for_each(|row| row.compared.mark = Mark::NotCompared);
        }
        assert!(!layout(&report.time).contains('!') && !details(&report.time).contains("DISAGREE"));
        report.time[1].rows[1].compared.mark = Mark::Disagrees;
        assert!(layout(&report.time).contains('!') && details(&report.time).contains("DISAGREE"));
    }
}
