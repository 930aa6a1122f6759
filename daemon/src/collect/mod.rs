//! From what the kernel reports to instants and metrics.

pub(crate) mod container;
pub(crate) mod helpers;
mod inferred;
pub(crate) mod instants;
pub(crate) mod kernel;
mod noise;
pub(crate) mod sample;
mod tracing_fs;
