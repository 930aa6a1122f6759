//! Waiting for a condition instead of for a time.

use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take: far more than it ever does, so that only a hang uses it up. An emulated machine is
/// given more, in seconds.
pub static BUDGET: LazyLock<Duration> = LazyLock::new(|| {
    let told = std::env::var("WBD_TEST_BUDGET").ok();
    Duration::from_secs(told.map_or(60, |seconds| seconds.parse().expect("a number of seconds")))
});
const POLL: Duration = Duration::from_millis(5);

/// Waits until `look` finds what it looks for.
///
/// # Panics
/// Where it has not found it when the budget is used up.
#[track_caller]
pub fn until_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            begun.elapsed() < *BUDGET,
            "waited {:?} in vain until {what}",
            *BUDGET
        );
        sleep(POLL);
    }
}

/// Waits until `holds` is true.
///
/// # Panics
/// Where it is not when the budget is used up.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_some(what, || holds().then_some(()));
}

/// Looks until what is seen is `good`, or the budget is used up; what was seen last.
pub fn until_or_last<T>(mut look: impl FnMut() -> T, good: impl Fn(&T) -> bool) -> T {
    let begun = Instant::now();
    loop {
        let seen = look();
        if good(&seen) || begun.elapsed() > *BUDGET {
            return seen;
        }
        sleep(POLL);
    }
}
