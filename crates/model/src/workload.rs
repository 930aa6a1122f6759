//! The manifest of a workload: `workloads/NAME/workload.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How much a workload computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// A problem whose answer is published: it proves that the program is right.
    Check,
    /// About a twentieth of `quick`: for interpreters, and for what they are compared with.
    Small,
    /// About 0.3 s as a native program.
    #[default]
    Quick,
    /// The size the seed study measured.
    Seed,
}

impl Size {
    /// Every size.
    pub const ALL: [Self; 4] = [Self::Check, Self::Small, Self::Quick, Self::Seed];

    /// The name as manifests and flags spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Small => "small",
            Self::Quick => "quick",
            Self::Seed => "seed",
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A workload as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What it does, in a few words.
    pub about: String,
    /// Its C source, relative to the manifest.
    pub source: String,
    /// Libraries to link natively, such as `m`.
    #[serde(default)]
    pub libraries: Vec<String>,
    /// Arguments and expected output by size.
    pub sizes: BTreeMap<Size, Problem>,
    /// Other ways to do the same, by name: `line` of `fasta` is the workload `fasta-line`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<String, Variant>,
}

impl Manifest {
    /// The workload that does it in this way: its arguments come after a size's own, and its output is the same.
    #[must_use]
    pub fn variant(mut self, name: &str) -> Option<Self> {
        let variant = self.variants.remove(name)?;
        for problem in self.sizes.values_mut() {
            problem.args.extend(variant.args.iter().cloned());
        }
        Some(Self {
            about: variant.about,
            variants: BTreeMap::new(),
            ..self
        })
    }

    /// The size these arguments are: the largest, where several have the same.
    #[must_use]
    pub fn size_of(&self, args: &[String]) -> Option<Size> {
        let mut largest_first = self.sizes.iter().rev();
        largest_first
            .find(|(_, problem)| problem.args == args)
            .map(|(size, _)| *size)
    }
}

/// Another way to do what a workload does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// How it differs, in a few words.
    pub about: String,
    /// Arguments that choose it.
    pub args: Vec<String>,
}

/// One size of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// The program's arguments.
    pub args: Vec<String>,
    /// What it must print.
    pub output: Output,
}

/// The output a run must have, by length and content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Length of standard output in bytes.
    pub bytes: u64,
    /// XXH3 of standard output, 128 bits in hexadecimal (`xxhsum -H2`).
    pub xxh3: String,
}
