//! Progress of an experiment on its way to the client.
//!
//! Nothing here waits for a client: one that stops reading would hold up the thread that launches, and with it
//! everybody else's experiments.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::{OwnedPermit, Sender};
use tonic::Status;
use wbd_model::Progress;

/// Shortest time between two messages that runs were made: a reader sees no more, and each costs a wake-up
/// beside the run that is measured.
const INTERVAL: Duration = Duration::from_millis(250);

type Message = Result<Progress, Status>;

/// Sends progress to a client, who may be gone, or slow.
pub(crate) struct News {
    client: Sender<Message>,
    /// A place in the client's queue, kept for how the experiment ended; none where the client has gone.
    last_word: Option<OwnedPermit<Message>>,
    last: Option<Instant>,
}

impl News {
    pub(crate) fn new(client: Sender<Message>) -> Self {
        let last_word = client.clone().try_reserve_owned().ok();
        Self {
            client,
            last_word,
            last: None,
        }
    }

    /// Sends a message. One that finds the client's queue full, or no client, is dropped.
    pub(crate) fn send(&self, progress: Progress) {
        let _ = self.client.try_send(Ok(progress));
    }

    /// Tells how the experiment ended. There is always room for that.
    pub(crate) fn end(self, outcome: Message) {
        if let Some(place) = self.last_word {
            place.send(outcome);
        }
    }

    /// Tells how many runs were made, now and then. A slow client misses some.
    pub(crate) fn ran(&mut self, done: u32, failed: u32) {
        if self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        self.last = Some(Instant::now());
        self.send(Progress::Ran { done, failed });
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn said(message: u32) -> Progress {
        Progress::Warning(message.to_string())
    }

    #[test]
    fn a_client_that_does_not_read_holds_nobody_up_and_still_hears_the_end() {
        let (client, mut queue) = mpsc::channel(4);
        let news = News::new(client);
        (0..1000).for_each(|message| news.send(said(message))); // would never end if it waited
        news.end(Ok(said(1000)));
        let mut heard = Vec::new();
        while let Ok(message) = queue.try_recv() {
            heard.push(message.unwrap());
        }
        assert_eq!(heard, [said(0), said(1), said(2), said(1000)]);
    }

    #[test]
    fn a_client_that_is_gone_is_no_error() {
        let (client, queue) = mpsc::channel(4);
        drop(queue);
        let news = News::new(client);
        news.send(said(0));
        news.end(Ok(said(1)));
    }
}
