//! An experiment from request to document.
//!
//! ```text
//!   RunRequest --plan--> Plan --prepare--> ready cells --runs--> samples --summary--> Experiment
//!        (names, files)     (code, images)      (shuffled rounds)    (store)
//! ```

pub(crate) mod admission;
mod attach;
pub(crate) mod cancel;
mod cold;
mod command;
mod conditions;
mod disk;
pub(crate) mod experiment;
pub(crate) mod explain;
pub(crate) mod gatekeeper;
mod image;
pub(crate) mod laboratory;
pub(crate) mod news;
pub(crate) mod plan;
mod prepare;
pub(crate) mod queue;
mod runs;
mod suite;
pub(crate) mod summary;
mod until;
