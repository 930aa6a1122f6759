//! Who asks: the other end of the socket, taken when it connected.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tonic::transport::server::Connected;
use tonic::{Request, Status};
use wbd_linux::gate::Identity;
use wbd_linux::peer;

use crate::store::Scope;

/// A client's connection, with its identity.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    identity: Identity,
}

impl Connection {
    /// Asks the kernel who is there.
    pub(crate) fn accept(stream: UnixStream) -> io::Result<Self> {
        let identity = peer::identity(&stream)?;
        Ok(Self { stream, identity })
    }
}

impl Connected for Connection {
    type ConnectInfo = Identity;

    fn connect_info(&self) -> Identity {
        self.identity.clone()
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
    let caller = request.extensions().get::<Identity>().cloned();
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
