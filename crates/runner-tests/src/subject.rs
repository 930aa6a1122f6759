//! The runner under test.

use std::ffi::OsStr;
use std::io::Write as _;
use std::panic::{UnwindSafe, catch_unwind};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{Bench, Mode};

/// Memory that a runner may write to: many times what any of the guests needs. An engine without a limit of its own
/// stops here, and not at the end of the machine's memory.
const DATA_BYTES: u64 = 1 << 30;

/// A built runner and what is expected of it.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The program's path.
    pub program: &'static str,
    /// What `version` is to print.
    pub version: &'static str,
    /// The modes it is to have.
    pub modes: &'static [Mode],
    /// The claims its engine cannot keep, each with the reason.
    pub exceptions: &'static [(&'static str, &'static str)],
}

/// A subject in one of its modes.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// The runner.
    pub subject: Subject,
    /// The mode in which it runs its guests.
    pub mode: Mode,
}

impl Subject {
    /// This runner in this mode.
    #[must_use]
    pub fn in_mode(self, mode: Mode) -> Trial {
        Trial { subject: self, mode }
    }

    /// Tries a claim, or where it is excepted, that it still fails.
    ///
    /// # Panics
    ///
    /// The claim does not hold; or it holds, and there is an exception from it.
    pub fn uphold(&self, claim: &str, trial: impl FnOnce() + UnwindSafe) {
        let exception = self.exceptions.iter().find(|(name, _)| *name == claim);
        let Some((_, reason)) = exception else {
            return trial();
        };
        let fails = catch_unwind(trial).is_err();
        assert!(fails, "`{claim}` holds: take its exception back ({reason})");
        // Not by `eprintln!`, which the test harness would keep to itself.
        let _ = writeln!(std::io::stderr(), "excepted: {claim}: {reason}");
    }

    /// Runs the runner with `input` on its standard input, until it ends.
    pub fn run<'a>(&self, words: impl IntoIterator<Item = &'a OsStr>, input: &[u8]) -> Output {
        let mut child = self.spawn(words);
        // A guest that does not read may end first; what it printed tells.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
        child.wait_with_output().expect("the runner ends")
    }

    /// With one variable in its environment, which no guest may see.
    fn spawn<'a>(&self, words: impl IntoIterator<Item = &'a OsStr>) -> Child {
        limit_memory();
        Command::new(self.program)
            .args(words)
            .env("OF_THE_HOST", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the runner can be started")
    }
}

/// Of this process, from which the runner inherits it.
fn limit_memory() {
    let (_, hard) = getrlimit(Resource::RLIMIT_DATA).expect("limits can be read");
    setrlimit(Resource::RLIMIT_DATA, DATA_BYTES.min(hard), hard).expect("a limit can be lowered");
}

impl Trial {
    /// A bench with the guest of this text on it.
    #[must_use]
    pub fn guest(self, text: &str) -> Bench {
        Bench::with_guest(self, text)
    }

    /// A bench with these bytes in place of what the mode runs.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Bench {
        Bench::with_bytes(self, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject = Subject {
        program: "",
        version: "",
        modes: &[],
        exceptions: &[("excepted", "it cannot")],
    };

    fn passes(claim: &str, holds: bool) -> bool {
        let claim = claim.to_owned();
        catch_unwind(move || SUBJECT.uphold(&claim, || assert!(holds))).is_ok()
    }

    #[test]
    fn a_claim_is_to_hold_and_an_excepted_one_to_fail() {
        assert!(passes("kept", true));
        assert!(!passes("kept", false));
        assert!(passes("excepted", false));
        assert!(!passes("excepted", true));
    }
}
