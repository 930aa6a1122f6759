//! A guest at work: its console read line by line, its tests counted.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::machine::Machine;
use crate::progress;
use crate::shell;
use crate::tally::Tally;

/// What a guest's own lines begin with; see `init.sh`.
const OURS: &str = "wbd-vm: ";

/// What came of a guest.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Its tests.
    pub tally: Tally,
    /// Why it is not to be believed, in any case.
    pub faults: Vec<String>,
}

/// What was read of a console so far.
#[derive(Default)]
struct Console {
    tally: Tally,
    kernel: Option<String>,
    /// Files of tests that ended, and how.
    ended: BTreeMap<String, String>,
    over: bool,
}

/// Boots a machine and reads what its tests say. `files` are those that must end.
pub(crate) fn run(machine: &Machine, kernel: &Path, disk: &Path, files: &[String]) -> Result<Outcome> {
    let mut console = Console::default();
    let ended = shell::run_lines(&mut machine.boot(kernel, disk), |line| {
        let line = line.trim_end();
        console.read(line);
        progress::output(format!("[{}] {line}", machine.name));
    });
    let mut outcome = console.judge(machine.release, files);
    outcome
        .faults
        .extend(ended.err().map(|error| format!("{error:#}")));
    Ok(outcome)
}

impl Console {
    fn read(&mut self, line: &str) {
        let Some(ours) = line.strip_prefix(OURS) else {
            self.tally.read(line);
            return;
        };
        match ours.split(' ').collect::<Vec<_>>().as_slice() {
            ["kernel", release, ..] => self.kernel = Some((*release).to_owned()),
            ["end", file, status] => drop(self.ended.insert((*file).to_owned(), (*status).to_owned())),
            ["over"] => self.over = true,
            _ => {}
        }
    }

    /// What is missing is a fault: a guest that died early has no failed test to show.
    fn judge(self, release: &str, files: &[String]) -> Outcome {
        let mut faults = Vec::new();
        match self.kernel {
            Some(kernel) if kernel.starts_with(release) => {}
            Some(kernel) => faults.push(format!("it booted {kernel} instead of {release}*")),
            None => faults.push("it did not boot".to_owned()),
        }
        for file in files {
            match self.ended.get(file).map(String::as_str) {
                Some("0") => {}
                Some(status) => faults.push(format!("{file} ended with status {status}")),
                None => faults.push(format!("{file} did not end")),
            }
        }
        if !self.over {
            faults.push("it stopped before it was told to".to_owned());
        }
        Outcome {
            tally: self.tally,
            faults,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "[    0.1] booting
wbd-vm: kernel 6.12.1-cloud x86_64
wbd-vm: begin truths
running 2 tests
test one ... ok
test two ... ok
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.41s
wbd-vm: end truths 0
wbd-vm: over";

    fn judged(told: &str) -> Outcome {
        let mut console = Console::default();
        told.lines().for_each(|line| console.read(line));
        console.judge("6.12.", &["truths".to_owned()])
    }

    #[test]
    fn a_guest_that_ran_all_is_believed() {
        let outcome = judged(TOLD);
        assert_eq!((outcome.tally.passed, outcome.faults), (2, Vec::new()));
    }

    #[test]
    fn a_guest_that_ends_early_or_is_another_is_not() {
        let early: String = TOLD.lines().take(6).map(|line| format!("{line}\n")).collect();
        let faults = judged(&early).faults;
        assert_eq!(faults, ["truths did not end", "it stopped before it was told to"]);
        assert!(judged("").faults.contains(&"it did not boot".to_owned()));
        let other = judged(&TOLD.replace("6.12.1", "6.1.1"));
        assert_eq!(other.faults, ["it booted 6.1.1-cloud instead of 6.12.*"]);
        let failed = judged(&TOLD.replace("end truths 0", "end truths 101"));
        assert_eq!(failed.faults, ["truths ended with status 101"]);
    }
}
