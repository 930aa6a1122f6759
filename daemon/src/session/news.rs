//! Progress of an experiment on its way to the client.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;
use tonic::Status;
use wbd_model::Progress;

/// Shortest time between two messages that runs were made: a reader sees no more, and each costs a wake-up
/// beside the run that is measured.
const INTERVAL: Duration = Duration::from_millis(250);

/// Sends progress to a client, who may be gone.
pub(crate) struct News {
    client: Sender<Result<Progress, Status>>,
    last: Option<Instant>,
}

impl News {
    pub(crate) fn new(client: Sender<Result<Progress, Status>>) -> Self {
        Self { client, last: None }
    }

    /// Sends a message. One that finds the client's queue full waits; one that finds no client is dropped.
    pub(crate) fn send(&self, progress: Progress) {
        let _ = self.client.blocking_send(Ok(progress));
    }

    /// Tells how the experiment failed.
    pub(crate) fn fail(&self, status: Status) {
        let _ = self.client.blocking_send(Err(status));
    }

    /// Tells how many runs were made, now and then. A slow client misses some.
    pub(crate) fn ran(&mut self, done: u32, failed: u32) {
        if self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        self.last = Some(Instant::now());
        let _ = self.client.try_send(Ok(Progress::Ran { done, failed }));
    }
}
