//! Clocks that do what clocks should not: the time of day is set back while runs are made.
//!
//! It is set back for the whole machine, for a fraction of a second, and put right again by a clock that nobody sets.

use std::time::Duration;

use nix::sys::time::{TimeSpec, TimeValLike as _};
use nix::time::{ClockId, clock_gettime, clock_settime};
use wbd_model::Metric;
use wbd_model::request::ExperimentList;
use wbd_tests::Home;
use wbd_tests::documents::{metric, only_run};

const HOUR_S: i64 = 3600;

/// The time of day, an hour late. Dropping it puts it right.
struct SetBack {
    /// What the time of day is ahead of the clock that nobody sets.
    ahead: TimeSpec,
}

impl SetBack {
    fn by_an_hour() -> Self {
        let ahead = now(ClockId::CLOCK_REALTIME) - now(ClockId::CLOCK_MONOTONIC);
        let set_back = Self { ahead };
        let late = now(ClockId::CLOCK_REALTIME) - TimeSpec::seconds(HOUR_S);
        clock_settime(ClockId::CLOCK_REALTIME, late).expect("root may set the clock (CAP_SYS_TIME)");
        set_back
    }
}

impl Drop for SetBack {
    fn drop(&mut self) {
        let right = now(ClockId::CLOCK_MONOTONIC) + self.ahead;
        let _ = clock_settime(ClockId::CLOCK_REALTIME, right); // it could be set before
    }
}

fn now(clock: ClockId) -> TimeSpec {
    clock_gettime(clock).expect("every Linux has this clock")
}

/// Needs root.
#[test]
fn a_clock_set_back_in_a_run_changes_no_figure_and_no_order() {
    let home = Home::new();
    let _wbd = home.start();
    let before = home.measure(&["-t", "native", "-n", "1"]);
    let client = home.begin(&[
        "--json",
        "run",
        "-n",
        "1",
        "--warmup",
        "0",
        "--time-limit",
        "20",
        "--",
        "/bin/sleep",
        "0.4",
    ]);
    std::thread::sleep(Duration::from_millis(50));
    let clock = SetBack::by_an_hour();
    std::thread::sleep(Duration::from_millis(100));
    drop(clock);
    client.answer().expect(0);
    let made = home.show("latest");
    let wall = metric(only_run(&made), Metric::Wall);
    assert!((400_000_000..5_000_000_000).contains(&wall), "{wall} ns");
    let clock = SetBack::by_an_hour();
    let noop = home.wbctl(&["run", "-n", "1", "--", "/bin/true"]);
    drop(clock);
    noop.expect(0);
    let list = home
        .wbctl(&["--json", "list"])
        .expect(0)
        .json::<ExperimentList>()
        .experiments;
    let names: Vec<&str> = list.iter().map(|line| line.experiment.as_str()).collect();
    assert_eq!(names.len(), 3);
    assert_eq!(
        names[2], before.experiment,
        "the oldest is last, whatever the clock said"
    );
    assert!(
        list[0].created < list[1].created,
        "it was made in the hour that came twice"
    );
    assert_eq!(home.show("latest").experiment, names[0]);
}
