//! The nouns of wbd, and the messages its daemon and its client exchange.
//!
//! One set of types serves three readers: the gRPC messages on the socket, the documents that
//! `wbctl --json` prints, and the rows of the store. They are plain serde types; the codec that
//! carries them is in [`codec`]. This crate depends on nothing else of ours.

pub mod anomaly;
pub mod cell_ref;
pub mod codec;
pub mod compare;
pub mod cpus;
pub mod document;
pub mod explanation;
pub mod host;
pub mod instant;
pub mod metric;
pub mod outlier;
pub mod profile;
pub mod report;
pub mod request;
pub mod service;
pub mod thread;
pub mod workload;

pub use anomaly::Anomalies;
pub use cell_ref::{CellName, CellRef};
pub use compare::Comparison;
pub use document::{Cell, Disk, Exit, Experiment, ExperimentLine, Phase, Sample};
pub use instant::{Confidence, Instant, InstantName, Instants};
pub use metric::{Metric, Summary, Unit};
pub use report::Report;
pub use request::{Preopen, Progress, RunRequest, Suite};
pub use workload::{Manifest, Size};

/// Version of the JSON documents; raised when a name in them changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// Where the daemon listens unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/wbd/wbd.sock";
