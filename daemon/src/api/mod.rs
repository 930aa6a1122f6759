//! What the daemon does for its clients: the gRPC service.

mod answers;
pub(crate) mod caller;
pub(crate) mod door;
mod questions;
pub(crate) mod service;
mod status;
pub(crate) mod turnstile;
