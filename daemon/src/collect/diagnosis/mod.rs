//! Diagnosis: where the threads of a run spent their lives. Never on in a run whose latency is measured.

pub(crate) mod stacks;
pub(crate) mod symbols;
