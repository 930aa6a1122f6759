//! Sends the daemon a request that `wbctl` would never send, and prints what comes back.
//!
//! `raw-client SOCKET REQUEST`: the request is the JSON of a `RunRequest`. The gRPC status is the exit code.

use std::process::ExitCode;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use wbd_model::RunRequest;
use wbd_model::service::wbd_client::WbdClient;

fn main() -> ExitCode {
    let [socket, request] = [1, 2].map(|place| std::env::args().nth(place).expect("SOCKET REQUEST"));
    let request = serde_json::from_str(&request).expect("a request in JSON");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let outcome = runtime.expect("an event loop").block_on(run(socket, request));
    let status = outcome.err().unwrap_or_else(|| Status::ok("done"));
    eprintln!("{:?}: {}", status.code(), status.message());
    ExitCode::from(status.code() as u8)
}

async fn run(socket: String, request: RunRequest) -> Result<(), Status> {
    let connector = tower::service_fn(move |_| {
        let socket = socket.clone();
        async { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    let channel = Endpoint::from_static("http://wbd")
        .connect_with_connector(connector)
        .await;
    let channel = channel.map_err(|error| Status::new(Code::Unavailable, error.to_string()))?;
    let mut news = WbdClient::new(channel).run(request).await?.into_inner();
    while let Some(progress) = news.message().await? {
        println!("{}", serde_json::to_string(&progress).expect("a message is JSON"));
    }
    Ok(())
}
