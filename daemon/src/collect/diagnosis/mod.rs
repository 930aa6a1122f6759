//! Diagnosis: where the threads of a run spent their lives. Never on in a run whose latency is measured.

pub(crate) mod assemble;
pub(crate) mod looks;
pub(crate) mod probes;
pub(crate) mod reach;
pub(crate) mod stacks;
pub(crate) mod symbols;
