//! The steps of a long task, and how long each took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::interrupt;
use crate::progress::{line, spoken};

/// What has been done so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Does one step; an error is told with the step's name.
    pub(crate) fn run<T>(&mut self, name: &'static str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        interrupt::check()?;
        line(format!("== {name}"));
        let begun = Instant::now();
        let result = act();
        self.done.push((name, begun.elapsed()));
        result.with_context(|| name)
    }

    /// Prints the table of durations.
    pub(crate) fn report(&self) {
        line("== time taken");
        for (name, duration) in &self.done {
            line(format!("{name:<24} {:>12}", spoken(*duration)));
        }
    }
}
