//! The doctor's findings.

use wbd_model::host::{Check, Diagnosis, Grade};

use super::notes::machine;
use super::table::plain;

/// A line for the machine, then for each check its grade, what was found and what to do.
pub(crate) fn draw(diagnosis: &Diagnosis) -> String {
    let widest = diagnosis
        .checks
        .iter()
        .map(|check| check.name.chars().count())
        .max()
        .unwrap_or(0);
    let checks = diagnosis.checks.iter().map(|check| line(check, widest));
    let overall = match diagnosis.overall.as_str() {
        "" => String::new(), // of an older daemon
        overall => format!("\n{}\n", plain(overall)),
    };
    std::iter::once(machine(&diagnosis.machine) + "\n\n")
        .chain(checks)
        .chain([overall])
        .collect()
}

fn line(check: &Check, width: usize) -> String {
    let grade = match check.grade {
        Grade::Good => "good",
        Grade::Warning => "warning",
        Grade::Missing => "missing",
    };
    let (name, found) = (plain(&check.name), plain(&check.found));
    let mend = check.mend.as_deref().map_or_else(String::new, |mend| {
        format!("{:9}{:width$}  -> {}\n", "", "", plain(mend))
    });
    format!("{grade:9}{name:width$}  {found}\n{mend}")
}

#[cfg(test)]
mod tests {
    use wbd_model::host::Machine;

    use super::*;

    #[test]
    fn every_check_has_its_grade_and_what_to_do() {
        let check = |name: &str, grade, mend: Option<&str>| Check {
            name: name.into(),
            grade,
            found: format!("{name} looked at"),
            mend: mend.map(Into::into),
        };
        let drawn = draw(&Diagnosis {
            machine: Machine::default(),
            overall: "quiet enough".into(),
            checks: vec![
                check("btf", Grade::Good, None),
                check(
                    "hardware counters",
                    Grade::Missing,
                    Some("use a machine with a PMU"),
                ),
            ],
        });
        println!("{drawn}");
        let column = |line: usize, text: &str| drawn.lines().nth(line).unwrap().find(text);
        assert!(drawn.ends_with("\nquiet enough\n"), "{drawn}");
        assert_eq!(column(2, "btf looked"), column(3, "hardware counters looked"));
        assert_eq!(
            column(3, "hardware counters looked"),
            column(4, "-> use a machine")
        );
    }
}
