//! The connection to the daemon: gRPC over its Unix socket.
//!
//! Whatever listens there is looked at before it is trusted: an HTTP/2 server's first words are a SETTINGS
//! frame (RFC 9113, section 3.4), and wbd's says them as soon as it accepts. So a listener that hangs up,
//! stays silent or speaks something else is told apart at once, and each gets its own sentence.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use nix::sys::socket::{MsgFlags, recv};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status, Streaming};
use tower::service_fn;
use wbd_model::codec::MAX_MESSAGE_BYTES;
use wbd_model::service::wbd_client::WbdClient;

use crate::failure::{Failure, innermost};

/// How long the daemon may take to be there and say its first words.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// How long the daemon may take to answer a question that starts no runs.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// Type of a SETTINGS frame, the fourth byte of its header.
const SETTINGS: u8 = 4;

/// A client of the daemon.
pub(crate) type Client = WbdClient<Channel>;

/// Connects to the daemon that listens on `socket`.
///
/// # Errors
/// Fails where nothing listens there, or something that is not wbd.
pub(crate) async fn connect(socket: &Path) -> Result<Client, Failure> {
    let stream = timeout(GREETING_LIMIT, greeted(socket))
        .await
        .map_err(|_| silent(socket))??;
    let channel = channel(stream)
        .await
        .map_err(|error| foreign(socket, &innermost(&error).to_string()))?;
    Ok(WbdClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES))
}

/// The answer to a question that starts no runs.
///
/// # Errors
/// Fails where the daemon refuses, fails or does not answer.
pub(crate) async fn answer<T>(
    question: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Failure> {
    match timeout(ANSWER_LIMIT, question).await {
        Ok(answer) => Ok(answer?.into_inner()),
        Err(_) => Err(silent_midway()),
    }
}

fn silent_midway() -> Failure {
    Failure::Unreachable(format!(
        "the daemon accepted the question and did not answer within {} s; look at its log",
        ANSWER_LIMIT.as_secs()
    ))
}

/// The next message of an answer that comes in pieces; none at its end.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn next<T>(pieces: &mut Streaming<T>) -> Result<Option<T>, Failure> {
    match timeout(ANSWER_LIMIT, pieces.message()).await {
        Ok(piece) => Ok(piece?),
        Err(_) => Err(silent_midway()),
    }
}

async fn greeted(socket: &Path) -> Result<UnixStream, Failure> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|error| unreachable(socket, &error))?;
    match peek(&stream)
        .await
        .map_err(|error| foreign(socket, &error.to_string()))?[..]
    {
        [] => Err(foreign(socket, "it closed the connection at once")),
        [_, _, _, SETTINGS] => Ok(stream),
        _ => Err(foreign(socket, "its first bytes are not HTTP/2")),
    }
}

/// The first bytes that come, left in the socket for the next reader. Few servers would split them.
async fn peek(stream: &UnixStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    let look = || Ok(recv(stream.as_raw_fd(), &mut bytes, MsgFlags::MSG_PEEK)?);
    let length = stream.async_io(Interest::READABLE, look).await?;
    bytes.truncate(length);
    Ok(bytes)
}

/// A channel over the one connection; it is not made again once it breaks, as the daemon then forgot the rest.
async fn channel(stream: UnixStream) -> Result<Channel, tonic::transport::Error> {
    let mut stream = Some(stream);
    let connector = service_fn(move |_| {
        let stream = stream.take().map(TokioIo::new);
        async { stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)) }
    });
    // The address is required and goes into a header; the socket is chosen by the connector.
    Endpoint::from_static("http://wbd")
        .connect_with_connector(connector)
        .await
}

fn unreachable(socket: &Path, error: &io::Error) -> Failure {
    let is_socket = std::fs::metadata(socket).is_ok_and(|about| about.file_type().is_socket());
    let socket = socket.display();
    Failure::Unreachable(match error.kind() {
        io::ErrorKind::NotFound => format!(
            "no daemon: the socket {socket} does not exist; start one with `sudo wbd`, or name its socket with --socket or WBD_SOCKET"
        ),
        io::ErrorKind::ConnectionRefused if !is_socket => {
            format!("{socket} is no socket: name the daemon's with --socket or WBD_SOCKET")
        }
        io::ErrorKind::ConnectionRefused => {
            format!("nothing listens on {socket}: the daemon that made it is gone; start one with `sudo wbd`")
        }
        io::ErrorKind::PermissionDenied => format!(
            "you may not open {socket}: it belongs to the group wbd; join it with `sudo usermod -aG wbd $USER` and log in again"
        ),
        _ => format!("cannot connect to {socket}: {error}"),
    })
}

fn silent(socket: &Path) -> Failure {
    Failure::Unreachable(format!(
        "what listens on {} says nothing for {} s: the daemon hangs, or it is not wbd; look at its log or name another socket",
        socket.display(),
        GREETING_LIMIT.as_secs()
    ))
}

fn foreign(socket: &Path, what: &str) -> Failure {
    Failure::Unreachable(format!(
        "what listens on {} is not wbd: {what}; name the daemon's socket with --socket or WBD_SOCKET",
        socket.display()
    ))
}
