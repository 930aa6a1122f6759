//! Counts tests while their output passes through.
//!
//! libtest writes one line for each test and one `test result:` line for each program; nothing else is relied upon.

/// What the test programs have said so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests passed.
    pub passed: u64,
    /// Tests failed.
    pub failed: u64,
    /// Tests skipped.
    pub ignored: u64,
    /// Tests, whatever came of them, which say `docker` in their name.
    pub docker: u64,
}

/// What a line of output means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A program begins, with this many tests.
    Begun(u64),
    /// One test is over.
    Over,
    /// Anything else.
    Text,
}

impl Tally {
    /// Counts what a line tells.
    pub(crate) fn read(&mut self, line: &str) -> Event {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
            self.ignored += count(counts, "ignored");
            Event::Text
        } else if let Some((name, _)) = line
            .strip_prefix("test ")
            .and_then(|test| test.split_once(" ... "))
        {
            self.docker += u64::from(name.contains("docker"));
            Event::Over
        } else {
            begun(line).map_or(Event::Text, Event::Begun)
        }
    }

    /// All tests that ran.
    pub(crate) fn ran(&self) -> u64 {
        self.passed + self.failed
    }

    /// The two counts together.
    pub(crate) fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
            docker: self.docker + other.docker,
        }
    }
}

/// The number before a word: `ok. 12 passed; 0 failed; ...`.
fn count(counts: &str, word: &str) -> u64 {
    let words: Vec<&str> = counts
        .split_whitespace()
        .map(|word| word.trim_end_matches([';', '.']))
        .collect();
    let pair = words.windows(2).find(|pair| pair[1] == word);
    pair.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

fn begun(line: &str) -> Option<u64> {
    let (number, rest) = line.strip_prefix("running ")?.split_once(' ')?;
    rest.starts_with("test").then(|| number.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
running 3 tests
test launch::a_container_starts_in_docker ... ok
test launch::plain ... FAILED
test launch::later ... ignored

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s

running 1 test
test crates/model/src/lib.rs - (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.41s
";

    #[test]
    fn results_of_several_programs_add_up() {
        let mut tally = Tally::default();
        for line in OUTPUT.lines() {
            tally.read(line);
        }
        assert_eq!(
            tally,
            Tally {
                passed: 2,
                failed: 1,
                ignored: 1,
                docker: 1
            }
        );
    }

    #[test]
    fn lines_are_told_apart() {
        let mut tally = Tally::default();
        assert_eq!(tally.read("running 12 tests"), Event::Begun(12));
        assert_eq!(tally.read("running 1 test"), Event::Begun(1));
        assert_eq!(tally.read("test a::b ... ok"), Event::Over);
        assert_eq!(tally.read("running wild"), Event::Text);
        assert_eq!(tally.read("test data was written"), Event::Text);
    }
}
