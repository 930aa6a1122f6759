//! Linux as wbd needs it: safe wrappers around what the kernel offers, and the only home of `unsafe`
//! outside the kernel side. Nothing here knows of targets, cells or experiments.

pub mod caller_file;
pub mod cgroup;
pub mod clock;
pub mod entry;
#[cfg(fuzzing)]
pub mod fuzz;
pub mod gate;
pub mod image;
pub mod inherited;
pub mod loader;
pub mod offsets;
pub mod page_cache;
pub mod passed_socket;
pub mod peer;
pub mod perf;
pub mod process;
mod raw;
pub mod release;
pub mod sampling;
pub mod scheduling;
pub mod start;
pub mod symbols;
pub mod system_calls;
pub mod taskstats;
pub mod usdt;
