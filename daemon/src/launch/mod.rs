//! Launching: one run, from its cgroup to what was seen of it.

pub(crate) mod bias;
mod bounds;
pub(crate) mod container;
mod cpu_time;
pub(crate) mod helper;
pub(crate) mod hits;
pub(crate) mod libraries;
pub(crate) mod observed;
pub(crate) mod output;
pub(crate) mod process;
pub(crate) mod slot;
mod streams;
pub(crate) mod weight;
