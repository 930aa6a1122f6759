//! The harness of the black-box tests: real daemons and clients of the built distribution, and the proof that a
//! daemon leaves nothing behind.
//!
//! Every test needs root. Where something else is needed the test says so, and fails where it is missing.

pub mod answer;
pub mod client;
pub mod daemon;
pub mod decoy;
pub mod docker;
pub mod documents;
pub mod engine;
pub mod grpc;
pub mod home;
pub mod process;
pub mod remains;
pub mod targets;
pub mod user;
pub mod wait;

pub use answer::Answer;
pub use daemon::Daemon;
pub use home::Home;
