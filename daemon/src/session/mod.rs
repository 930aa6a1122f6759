//! An experiment from request to document.
//!
//! ```text
//!   RunRequest --plan--> Plan --experiment--> samples --summary--> Experiment
//!              (names, files)  (one at a time,         (store)
//!                               shuffled rounds)
//! ```

pub(crate) mod cancel;
pub(crate) mod experiment;
pub(crate) mod news;
pub(crate) mod plan;
pub(crate) mod queue;
pub(crate) mod summary;
