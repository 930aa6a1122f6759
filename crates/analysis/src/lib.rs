//! Statistics over samples: pure functions, no I/O and no clock, so that a figure can be recomputed
//! from the stored samples by anyone and always comes out the same.

pub mod anomaly;
pub mod compare;
pub mod drift;
pub mod explain;
pub mod histogram;
mod interval;
mod normal;
pub mod order;
pub mod outlier;
pub mod phases;
mod random;
mod rank;
mod ratio;
pub mod report;
pub mod runs;
pub mod summary;

pub use anomaly::anomalies;
pub use compare::compare;
pub use order::shuffled_rounds;
pub use outlier::outliers;
pub use phases::{median_phases, timeline};
pub use ratio::ratio_of_medians;
pub use runs::Runs;
pub use summary::summarize;
