//! What a task shows on standard error: lines, and on a terminal also bars with the time left.
//!
//! There is one terminal, so there is one drawing area, shared by the whole program.

use std::fmt::Display;
use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

static AREA: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Prints a line to standard error, above any bar.
pub(crate) fn line(text: impl Display) {
    AREA.suspend(|| eprintln!("{text}"));
}

/// Prints a line to standard output, above any bar.
pub(crate) fn output(text: impl Display) {
    AREA.suspend(|| println!("{text}"));
}

/// Says a duration as people do.
pub(crate) fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// A long step of a known number of parts. Off a terminal it is one line at its end.
pub(crate) struct Bar {
    title: String,
    begun: Instant,
    bar: ProgressBar,
}

impl Bar {
    /// Shows a bar of `parts` parts.
    pub(crate) fn new(title: &str, parts: usize) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            AREA.add(
                ProgressBar::new(parts as u64)
                    .with_style(style())
                    .with_message(title.to_owned()),
            )
        } else {
            ProgressBar::hidden()
        };
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            title: title.to_owned(),
            begun: Instant::now(),
            bar,
        }
    }

    /// One more part is done.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// More parts than were known at first.
    pub(crate) fn extend(&self, parts: u64) {
        self.bar.inc_length(parts);
    }

    /// Removes the bar and says how long the step took.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
        line(format!(
            "{}: {} in {}",
            self.title,
            self.bar.position(),
            spoken(self.begun.elapsed())
        ));
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} [{wide_bar}] {pos}/{len}, {elapsed} gone, {eta} left")
        .expect("the template is fixed")
        .progress_chars("=> ")
}
