//! What there is to run: targets, workloads, and where their files are.

pub(crate) mod assets;
pub(crate) mod catalogue;
mod moved;
pub(crate) mod precompiled;
pub(crate) mod runners;
pub(crate) mod workloads;
