//! How far an experiment is, on standard error, and only where that is a terminal: a log or a pipe gets nothing.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use wbd_model::Progress;

/// How often the waiting sign moves, at most.
const TICK: Duration = Duration::from_millis(200);

/// The bar; it disappears with the value.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A sign that something is under way.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Shows the news.
    pub(crate) fn tell(&mut self, news: &Progress) {
        match news {
            Progress::Queued { ahead } => self
                .0
                .set_message(format!("waiting, experiments that come first: {ahead}")),
            Progress::Preparing(what) => self.0.set_message(format!("preparing {what}")),
            Progress::Started { experiment, runs } => self.start(experiment, *runs),
            Progress::Ran { done, failed } => self.ran(*done, *failed),
            Progress::Warning(warning) => self.0.println(format!("warning: {warning}")),
            Progress::Finished(_) | Progress::Explained(_) => {}
        }
    }

    /// A bar in place of the sign. Nothing moves between two runs: drawing would disturb what is measured.
    fn start(&mut self, experiment: &str, runs: u32) {
        self.0.finish_and_clear();
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} runs, {eta} left{msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        self.0 = ProgressBar::new(u64::from(runs)).with_style(style);
        self.0.set_prefix(format!("experiment {experiment}"));
    }

    fn ran(&self, done: u32, failed: u32) {
        if failed > 0 {
            self.0.set_message(format!(", {failed} do not count"));
        }
        self.0.set_position(u64::from(done));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
