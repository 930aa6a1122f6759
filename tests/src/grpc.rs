//! Clients inside the test's own process: as many as it likes, and as badly behaved.

use std::path::{Path, PathBuf};

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// An event loop that turns only while it is waited on: what it holds stands still meanwhile.
///
/// # Panics
/// Where there is no room for one.
#[must_use]
pub fn runtime() -> Runtime {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.expect("an event loop")
}

/// A connection to the daemon at `socket`.
///
/// # Panics
/// Where nobody listens there.
pub async fn connect(socket: &Path) -> Channel {
    open(Endpoint::from_static("http://wbd"), socket).await
}

/// The same, by a client that takes one byte of an answer, and no more until it reads.
///
/// # Panics
/// As [`connect`].
pub async fn connect_narrow(socket: &Path) -> Channel {
    open(
        Endpoint::from_static("http://wbd").initial_stream_window_size(1),
        socket,
    )
    .await
}

async fn open(endpoint: Endpoint, socket: &Path) -> Channel {
    let socket: PathBuf = socket.to_owned();
    let connector = tower::service_fn(move |_| {
        let socket = socket.clone();
        async { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    let channel = endpoint.connect_with_connector(connector).await;
    channel.expect("the daemon takes connections")
}

/// Sends these bytes as the request of a method, and returns what is answered at first.
///
/// # Errors
/// The daemon refuses.
pub async fn send(channel: Channel, method: &'static str, message: Vec<u8>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel);
    let ready = client.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = PathAndQuery::from_static(method);
    let streaming = client.server_streaming(Request::new(message), path, Bytes);
    streaming.await.map(drop)
}

/// Messages as they are.
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        bytes::Buf::advance(buffer, bytes::Buf::remaining(buffer));
        Ok(Some(()))
    }
}
