//! From what the kernel reports to instants and metrics.

pub(crate) mod container;
#[allow(dead_code, reason = "the diagnosis that takes stacks comes with its probes")]
pub(crate) mod diagnosis;
pub(crate) mod helpers;
mod inferred;
pub(crate) mod instants;
pub(crate) mod kernel;
mod noise;
pub(crate) mod sample;
mod switches;
mod tracing_fs;
