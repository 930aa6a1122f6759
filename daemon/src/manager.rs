//! The service manager, where one started the daemon: the socket it opened, and what it wants to be told.
//!
//! The protocol is systemd's (`sd_listen_fds(3)`, `sd_notify(3)`), told by variables of the environment. Without them
//! nobody is told anything, and an idle daemon is woken by nobody.

use std::os::unix::net::UnixListener;

use anyhow::{Context as _, bail};
use sd_notify::NotifyState;

/// The socket that the manager listens on for us, if it does.
///
/// # Errors
///
/// It passed something else, or more.
pub(crate) fn socket() -> anyhow::Result<Option<UnixListener>> {
    let passed: Vec<_> = sd_notify::listen_fds()
        .context("what the service manager passed cannot be used")?
        .collect();
    match passed[..] {
        [] => Ok(None),
        [fd] => wbd_linux::passed_socket::listener(fd)
            .map(Some)
            .context("the service manager passed something else than a listening Unix socket"),
        _ => bail!(
            "the service manager passed {} sockets; one is enough",
            passed.len()
        ),
    }
}

/// Tells the manager how far the daemon is.
pub(crate) fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("the service manager does not listen: {error}");
    }
}

/// Tells the manager over and over that the event loop turns, twice as often as it wants to hear it. Never ends.
pub(crate) async fn reassure() {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    loop {
        tell(NotifyState::Watchdog);
        tokio::time::sleep(patience / 2).await;
    }
}
