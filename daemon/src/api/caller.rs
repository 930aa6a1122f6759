//! Who asks: the other end of the socket, taken when it connected.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tonic::transport::server::Connected;
use tonic::{Request, Status};
use wbd_linux::gate::Identity;
use wbd_linux::inherited::Inherited;
use wbd_linux::peer::{self, Peer};

use super::door::{Guests, Place};
use crate::store::Scope;

/// A client's connection, with its identity.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    caller: Caller,
    _place: Place,
}

/// Who is at the other end.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    identity: Identity,
    /// The process that connected; none where it has ended since, or cannot be seen from here.
    process: Option<Arc<Peer>>,
    /// Turns for this user's requests.
    turns: Arc<Semaphore>,
}

impl Connection {
    /// Asks the kernel who is there; none where that user has connections enough.
    pub(crate) fn accept(stream: UnixStream, guests: &Arc<Guests>) -> io::Result<Option<Self>> {
        let identity = peer::identity(&stream)?;
        let Some((place, turns)) = guests.admit(identity.uid) else {
            return Ok(None);
        };
        let caller = Caller {
            identity,
            process: Peer::of(&stream).ok().map(Arc::new),
            turns,
        };
        Ok(Some(Self {
            stream,
            caller,
            _place: place,
        }))
    }
}

impl Caller {
    /// What a request takes its turn from.
    pub(crate) fn turns(&self) -> Arc<Semaphore> {
        Arc::clone(&self.turns)
    }
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The caller of a request.
pub(crate) fn of<T>(request: &Request<T>) -> Result<Identity, Status> {
    connected(request).map(|caller| caller.identity.clone())
}

/// What the caller's process hands down to the programs it starts.
pub(crate) fn inherited<T>(request: &Request<T>) -> Result<Inherited, Status> {
    let inherited = match &connected(request)?.process {
        Some(process) => process.inherited().map_err(|error| error.to_string()),
        None => Err("it has ended, or is in a PID namespace of its own".to_owned()),
    };
    inherited.map_err(|why| {
        Status::failed_precondition(format!(
            "the limits, nice value, CPUs and umask of the process that connected cannot be read: {why}; \
             targets run with them, so connect from a process that stays"
        ))
    })
}

fn connected<T>(request: &Request<T>) -> Result<&Caller, Status> {
    let caller = request.extensions().get::<Caller>();
    caller.ok_or_else(|| Status::internal("the connection has no credentials"))
}

/// What a caller may see: their own, and root everything.
pub(crate) fn scope(caller: &Identity) -> Scope {
    if caller.uid == 0 {
        Scope::All
    } else {
        Scope::Owner(caller.uid)
    }
}
