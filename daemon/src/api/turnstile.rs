//! How many of a user's requests are worked on at once: the others wait, so that a client who sends slowly, or does
//! not read its answer, keeps a bounded share of the daemon's memory and keeps nobody else waiting.
//!
//! A request has its turn from the moment its head arrived until its answer was sent to the last byte, or the client
//! went away. Of a stream of news it is over when the news begin: their queue is bounded by itself.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tower::{Layer, Service};

use super::caller::Caller;

/// Methods whose answer is a stream of news.
const STREAMS: [&str; 2] = ["/wbd.v1.Wbd/Run", "/wbd.v1.Wbd/Explain"];

/// Makes turnstiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turnstiles;

impl<S> Layer<S> for Turnstiles {
    type Service = Turnstile<S>;

    fn layer(&self, inside: S) -> Turnstile<S> {
        Turnstile { inside }
    }
}

/// A service behind a turnstile.
#[derive(Clone, Debug)]
pub(crate) struct Turnstile<S> {
    inside: S,
}

impl<S> Service<Request<Body>> for Turnstile<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inside.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let waiting = self.inside.clone();
        let mut ready = std::mem::replace(&mut self.inside, waiting); // the one that said it is ready
        let turns = request.extensions().get::<Caller>().map(Caller::turns);
        let is_stream = STREAMS.contains(&request.uri().path());
        Box::pin(async move {
            let turn = match turns {
                Some(turns) => turns.acquire_owned().await.ok(),
                None => None, // no caller: the methods refuse
            };
            let answer = ready.call(request).await?;
            Ok(match turn {
                Some(turn) if !is_stream => answer.map(|body| Body::new(Held { body, _turn: turn })),
                _ => answer,
            })
        })
    }
}

/// An answer that has its turn until it is sent.
struct Held {
    body: Body,
    _turn: OwnedSemaphorePermit,
}

impl http_body::Body for Held {
    type Data = bytes::Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
