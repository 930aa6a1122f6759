//! What the daemon does for its clients: the gRPC service.

mod answers;
pub(crate) mod caller;
mod questions;
pub(crate) mod service;
mod status;
