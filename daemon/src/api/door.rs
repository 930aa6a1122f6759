//! Who is let in: clients' connections as they come, so many at once.
//!
//! Each connection takes two descriptors here, its own and that of the process at the other end. One user who opens
//! connections without end is turned away in time for others to be let in, and for the daemon to launch programs.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::caller::Connection;

/// Most connections of one user at once, where there are descriptors enough.
const MOST_OF_ONE_USER: usize = 1024;
/// Requests of one user that are worked on at once; the others wait for these.
const REQUESTS_OF_ONE_USER: usize = 4;
/// How long to wait where no connection can be taken, which the clients who leave will mend.
const PAUSE: Duration = Duration::from_millis(100);

/// Those who are in, by user.
#[derive(Debug)]
pub(crate) struct Guests {
    users: Mutex<HashMap<u32, User>>,
    most_of_one_user: usize,
}

#[derive(Debug)]
struct User {
    connections: usize,
    /// Whether the log says already that there were too many.
    told: bool,
    requests: Arc<Semaphore>,
}

/// A user's place for one connection; dropping it gives it up.
#[derive(Debug)]
pub(crate) struct Place {
    guests: Arc<Guests>,
    user: u32,
}

impl Guests {
    /// For a process that may have so many descriptors.
    fn with_descriptors(most: u64) -> Self {
        let share = usize::try_from(most / 8).unwrap_or(usize::MAX);
        Self {
            users: Mutex::default(),
            most_of_one_user: share.clamp(1, MOST_OF_ONE_USER),
        }
    }

    /// A place for one connection more of a user, and what holds that user's requests; none where there are enough.
    pub(crate) fn admit(self: &Arc<Self>, user: u32) -> Option<(Place, Arc<Semaphore>)> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = users.entry(user).or_insert_with(|| User {
            connections: 0,
            told: false,
            requests: Arc::new(Semaphore::new(REQUESTS_OF_ONE_USER)),
        });
        if entry.connections >= self.most_of_one_user {
            if !std::mem::replace(&mut entry.told, true) {
                tracing::warn!(
                    "user {user} has {} connections; more are refused",
                    entry.connections
                );
            }
            return None;
        }
        entry.connections += 1;
        let place = Place {
            guests: Arc::clone(self),
            user,
        };
        Some((place, Arc::clone(&entry.requests)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut users = self.guests.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(user) = users.get_mut(&self.user) {
            user.connections -= 1;
            if user.connections == 0 {
                users.remove(&self.user);
            }
        }
    }
}

/// The connections of those who are let in, as long as somebody wants them.
pub(crate) fn open(listener: UnixListener) -> ReceiverStream<io::Result<Connection>> {
    let descriptors = wbd_linux::process::raise_descriptor_limit();
    let guests = Arc::new(Guests::with_descriptors(descriptors));
    let (let_in, connections) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(connection) = next(&listener, &guests, &let_in).await {
            if let_in.send(Ok(connection)).await.is_err() {
                return;
            }
        }
    });
    ReceiverStream::new(connections)
}

/// The next one who is let in; none once nobody wants any more.
async fn next(
    listener: &UnixListener,
    guests: &Arc<Guests>,
    let_in: &mpsc::Sender<io::Result<Connection>>,
) -> Option<Connection> {
    loop {
        let arrived = tokio::select! {
            arrived = listener.accept() => arrived,
            () = let_in.closed() => return None,
        };
        match arrived.and_then(|(stream, _)| Connection::accept(stream, guests)) {
            Ok(Some(connection)) => return Some(connection),
            Ok(None) => {} // hung up on
            Err(error) => {
                tracing::warn!("a connection cannot be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_too_many_does_not_keep_others_out() {
        let guests = Arc::new(Guests::with_descriptors(24));
        let places: Vec<_> = (0..5).filter_map(|_| guests.admit(7)).collect();
        assert_eq!(places.len(), 3, "24 descriptors are 3 connections for one user");
        assert!(guests.admit(8).is_some());
        drop(places);
        assert!(guests.admit(7).is_some());
        let users = guests.users.lock().unwrap();
        assert!(users.is_empty(), "who has left is forgotten: {users:?}");
    }

    #[test]
    fn there_are_never_more_than_the_most_however_many_descriptors() {
        assert_eq!(
            Guests::with_descriptors(u64::MAX).most_of_one_user,
            MOST_OF_ONE_USER
        );
        assert_eq!(Guests::with_descriptors(0).most_of_one_user, 1);
    }
}
