//! What each user may have of the daemon, by the administrator's word. Root is bound by nothing here but the output.
//!
//! Time and memory of a run are what its request allows it; here is decided how much a request may allow.

use serde::Deserialize;

/// Bytes of a mebibyte.
const MIB: u64 = 1024 * 1024;

/// The table `[limits]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Allowance {
    /// Experiments and explanations of a user that wait or run at once.
    queue: u32,
    /// Runs of one experiment, over all cells, warm-ups included.
    runs: u64,
    /// Seconds that a run may be given.
    time_s: u64,
    /// MiB of memory that a run may be given; without, no more than there is.
    memory_mib: Option<u64>,
    /// MiB that a run may print, and that an engine may make of a module; also root's.
    output_mib: u64,
    /// MiB of a user's experiments in the store.
    disk_mib: u64,
    /// Images that containers of a user may be made from, beside our own, each as a request names it.
    images: Vec<String>,
}

impl Default for Allowance {
    /// What a user on a machine of their own never meets, and a careless script does.
    fn default() -> Self {
        Self {
            queue: 16,
            runs: 4_000_000,
            time_s: 24 * 60 * 60,
            memory_mib: None,
            output_mib: 512,
            disk_mib: 8 * 1024,
            images: Vec::new(),
        }
    }
}

/// More than a user may have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Of what is counted.
    #[error(
        "{wanted}, and each user may have {limit}: {mend}, or have the administrator raise `{key}` below [limits] in the \
         daemon's configuration (wbd --config)"
    )]
    Amount {
        wanted: String,
        limit: String,
        mend: &'static str,
        key: &'static str,
    },
    /// An image that is nobody's to use but root's.
    #[error(
        "image `{0}` is none of those that users may run: have the administrator add it to `images` below [limits] in the \
         daemon's configuration (wbd --config)"
    )]
    Image(String),
}

/// What a request would take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Runs, over all cells, warm-ups included.
    pub(crate) runs: u64,
    /// Milliseconds of a run.
    pub(crate) time_ms: u64,
    /// MiB of memory of a run.
    pub(crate) memory_mib: u64,
    /// The image of its container, where it is none of ours.
    pub(crate) image: Option<&'a str>,
}

impl Allowance {
    /// Whether a user's request keeps within it.
    pub(crate) fn check(&self, uid: u32, wanted: Wanted<'_>) -> Result<(), Refusal> {
        if uid == 0 {
            return Ok(());
        }
        self.check_runs(wanted.runs)?;
        self.check_time(wanted.time_ms)?;
        self.check_memory(wanted.memory_mib)?;
        self.check_image(wanted.image)
    }

    fn check_image(&self, image: Option<&str>) -> Result<(), Refusal> {
        match image {
            Some(image) if !self.images.iter().any(|allowed| allowed == image) => {
                Err(Refusal::Image(image.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn check_runs(&self, runs: u64) -> Result<(), Refusal> {
        at_most(runs, self.runs, || Refusal::Amount {
            wanted: format!("the experiment would have {runs} runs"),
            limit: format!("{} in one", self.runs),
            mend: "ask for fewer (-n, or fewer cells)",
            key: "runs",
        })
    }

    fn check_time(&self, time_ms: u64) -> Result<(), Refusal> {
        at_most(time_ms, self.time_s.saturating_mul(1000), || Refusal::Amount {
            wanted: format!("a run would be given {} s", time_ms as f64 / 1e3),
            limit: format!("{} s", self.time_s),
            mend: "give it less (--time-limit)",
            key: "time_s",
        })
    }

    fn check_memory(&self, memory_mib: u64) -> Result<(), Refusal> {
        let limit = self.memory_mib.unwrap_or(u64::MAX);
        at_most(memory_mib, limit, || Refusal::Amount {
            wanted: format!("a run would be given {memory_mib} MiB of memory"),
            limit: format!("{limit} MiB"),
            mend: "give it less (--memory-limit)",
            key: "memory_mib",
        })
    }

    /// Whether a user who has so many experiments waiting or running may begin one more.
    pub(crate) fn check_queue(&self, uid: u32, present: u32) -> Result<(), Refusal> {
        let after = if uid == 0 { 0 } else { u64::from(present) + 1 };
        at_most(after, u64::from(self.queue), || Refusal::Amount {
            wanted: format!("user {uid} has {present} experiments waiting or running"),
            limit: self.queue.to_string(),
            mend: "wait for one to end, or interrupt its client",
            key: "queue",
        })
    }

    /// Whether a user whose experiments take so many bytes of the store may add to them.
    pub(crate) fn check_disk(&self, uid: u32, bytes: u64) -> Result<(), Refusal> {
        let taken = if uid == 0 { 0 } else { bytes };
        at_most(taken, self.disk_bytes(), || Refusal::Amount {
            wanted: format!(
                "the experiments of user {uid} take {} MiB of the store",
                bytes.div_ceil(MIB)
            ),
            limit: format!("{} MiB", self.disk_mib),
            mend: "remove some (wbctl rm); what was recorded before is kept",
            key: "disk_mib",
        })
    }

    fn disk_bytes(&self) -> u64 {
        self.disk_mib.saturating_mul(MIB)
    }

    /// Most bytes a run may print.
    pub(crate) fn output_bytes(&self) -> u64 {
        self.output_mib.saturating_mul(MIB)
    }

    /// Most bytes of memory that what is run before an experiment may have: compilers of modules.
    pub(crate) fn memory_bytes(&self, uid: u32) -> u64 {
        let limit = if uid == 0 { None } else { self.memory_mib };
        limit.map_or(u64::MAX, |mib| mib.saturating_mul(MIB))
    }
}

fn at_most(wanted: u64, limit: u64, refusal: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    if wanted > limit { Err(refusal()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOMEBODY: u32 = 1000;

    fn tight() -> Allowance {
        toml::from_str("queue = 2\nruns = 10\ntime_s = 5\nmemory_mib = 64\noutput_mib = 1\ndisk_mib = 3\nimages = ['a:1']")
            .unwrap()
    }

    fn wanted() -> Wanted<'static> {
        Wanted {
            runs: 10,
            time_ms: 5_000,
            memory_mib: 64,
            image: Some("a:1"),
        }
    }

    #[test]
    fn what_keeps_within_is_allowed_and_one_more_is_refused_with_the_key_to_change() {
        let allowance = tight();
        allowance.check(SOMEBODY, wanted()).unwrap();
        let one_more = [
            ("runs", Wanted { runs: 11, ..wanted() }),
            (
                "time_s",
                Wanted {
                    time_ms: 5_001,
                    ..wanted()
                },
            ),
            (
                "memory_mib",
                Wanted {
                    memory_mib: 65,
                    ..wanted()
                },
            ),
        ];
        for (key, wanted) in one_more {
            let refusal = allowance.check(SOMEBODY, wanted).unwrap_err().to_string();
            assert!(refusal.contains(&format!("raise `{key}`")), "{refusal}");
        }
        allowance.check_queue(SOMEBODY, 1).unwrap();
        allowance.check_queue(SOMEBODY, 2).unwrap_err();
        allowance.check_disk(SOMEBODY, 3 * MIB).unwrap();
        let refusal = allowance
            .check_disk(SOMEBODY, 3 * MIB + 1)
            .unwrap_err()
            .to_string();
        assert!(
            refusal.contains("take 4 MiB") && refusal.contains("wbctl rm"),
            "{refusal}"
        );
    }

    #[test]
    fn images_are_allowed_by_their_very_names() {
        for image in ["a", "a:12", "registry/a:1", "A:1"] {
            let other = Wanted {
                image: Some(image),
                ..wanted()
            };
            let refusal = tight().check(SOMEBODY, other).unwrap_err().to_string();
            assert!(
                refusal.contains(image) && refusal.contains("`images`"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn root_is_bound_by_the_output_alone() {
        let allowance = tight();
        let everything = Wanted {
            runs: u64::MAX,
            time_ms: u64::MAX,
            memory_mib: u64::MAX,
            image: Some("b:1"),
        };
        allowance.check(0, everything).unwrap();
        allowance.check_queue(0, u32::MAX).unwrap();
        allowance.check_disk(0, u64::MAX).unwrap();
        assert_eq!(allowance.memory_bytes(0), u64::MAX);
        assert_eq!(allowance.output_bytes(), MIB);
    }

    #[test]
    fn the_usual_allowance_hurts_nobody() {
        let usual: Allowance = toml::from_str("").unwrap();
        assert_eq!(usual, Allowance::default());
        let all = Wanted {
            runs: 4_000_000,
            time_ms: 300_000,
            memory_mib: u64::MAX,
            image: None,
        };
        usual.check(SOMEBODY, all).unwrap();
    }

    #[test]
    fn a_limit_that_is_none_is_told() {
        let unknown = toml::from_str::<Allowance>("ques = 1").unwrap_err().to_string();
        assert!(unknown.contains("ques") && unknown.contains("queue"), "{unknown}");
    }
}
