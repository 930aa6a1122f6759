//! The targets of the distribution under test. An engine that is not built is left out, and said so where
//! nobody can overlook it.

use std::io::Write as _;
use std::sync::Once;

use wbd_model::host::TargetInfo;
use wbd_model::request::TargetList;

use crate::Home;

/// Every target, available or not, as the daemon of `home` lists them.
#[must_use]
#[track_caller]
pub fn all(home: &Home) -> Vec<TargetInfo> {
    let answer = home.wbctl(&["--json", "targets"]).expect(0);
    answer.json::<TargetList>().targets
}

/// The Wasm targets that can be run, each once.
///
/// # Panics
/// Where there is none.
#[must_use]
#[track_caller]
pub fn wasm(home: &Home) -> Vec<TargetInfo> {
    let wasm = all(home).into_iter().filter(|target| target.mode.is_some());
    let (ready, missing): (Vec<_>, Vec<_>) = wasm.partition(|target| target.unavailable.is_none());
    assert!(!ready.is_empty(), "no engine is built: {missing:#?}");
    tell(&missing, ready.len());
    ready
}

/// The same of one mode: `jit`, `aot` or `interp`.
#[must_use]
#[track_caller]
pub fn of_mode(home: &Home, mode: &str) -> Vec<TargetInfo> {
    let mut targets = wasm(home);
    targets.retain(|target| target.mode.as_deref() == Some(mode));
    targets
}

/// Says once what is left out, past the test harness, which shows nothing of a test that passes.
fn tell(missing: &[TargetInfo], ready: usize) {
    let names: Vec<&str> = missing.iter().map(|target| target.name.as_str()).collect();
    if !names.is_empty() {
        let (number, all) = (names.len(), names.len() + ready);
        let said = format!(
            "LEFT OUT {number} of {all} Wasm targets, not built: {}\n",
            names.join(", ")
        );
        static TOLD: Once = Once::new();
        TOLD.call_once(|| drop(std::io::stderr().write_all(said.as_bytes())));
    }
}

/// `-t NAME` for each.
#[must_use]
pub fn flags(targets: &[TargetInfo]) -> Vec<&str> {
    let flags = targets.iter().flat_map(|target| ["-t", target.name.as_str()]);
    flags.collect()
}
