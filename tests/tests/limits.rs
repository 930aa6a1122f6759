//! What a user may have of the daemon, as its configuration says.

use wbd_tests::user::User;
use wbd_tests::{Answer, Daemon, Home};

/// A daemon with these limits, to which users are admitted.
fn start<'home>(home: &'home Home, limits: &str) -> Daemon<'home> {
    let config = home.file("wbd.toml", &format!("[limits]\n{limits}"), 0o644);
    let wbd = Daemon::start(home, home.wbd().args(["--config", &config]));
    home.admit(&User::nobody());
    wbd
}

#[track_caller]
fn refused(answer: Answer, words: &[&str]) {
    answer.expect(4).saying(words).saying(&["[limits]"]);
}

/// Needs root.
#[test]
fn what_is_over_a_limit_is_refused_with_the_limit_and_the_key_to_change() {
    let home = Home::with_dist_for_everyone();
    let _wbd = start(&home, "runs = 20\ntime_s = 30\nmemory_mib = 64\noutput_mib = 1\n");
    let nobody = User::nobody();
    let noop = home.program("noop");
    let within = [
        "run",
        "-n",
        "20",
        "--warmup",
        "0",
        "--time-limit",
        "30",
        "--memory-limit",
        "64",
        "--",
        &noop,
    ];
    home.wbctl_as(&nobody, &within).expect(0);
    for (place, value, words) in [
        (2, "21", ["21 runs", "20 in one", "`runs`"]),
        (4, "1", ["21 runs", "20 in one", "`runs`"]),
        (6, "31", ["31 s", "30 s", "`time_s`"]),
        (8, "65", ["65 MiB", "64 MiB", "`memory_mib`"]),
    ] {
        let mut beyond = within;
        beyond[place] = value;
        refused(home.wbctl_as(&nobody, &beyond), &words);
        home.wbctl(&beyond).expect(0); // root is not bound
    }
    let flood = home.program("flood");
    for (bytes, code) in [("1000000", 0), ("1200000", 1)] {
        let line = [
            "run",
            "-n",
            "1",
            "--warmup",
            "0",
            "--time-limit",
            "30",
            "--memory-limit",
            "64",
            "--",
            &flood,
            bytes,
        ];
        home.wbctl_as(&nobody, &line).expect(code);
    }
}

/// Needs root.
#[test]
fn a_user_has_so_many_places_in_the_queue_and_leaves_the_rest_to_others() {
    let home = Home::with_dist_for_everyone();
    let _wbd = start(&home, "queue = 2\n");
    let (nobody, somebody) = (User::nobody(), User::somebody());
    let hang = home.program("hang");
    let line = ["run", "-n", "1", "--", &hang];
    let first = home.begin_as(&nobody, &line);
    let _target = home.target();
    // One of two finds a place, whichever comes first.
    let [mut second, mut third] = [(); 2].map(|()| home.begin_as(&nobody, &line));
    wbd_tests::wait::until("one of two is refused", || !second.is_busy() || !third.is_busy());
    if !second.is_busy() {
        std::mem::swap(&mut second, &mut third);
    }
    refused(third.answer(), &["2 experiments waiting or running", "`queue`"]);
    assert!(second.is_busy());
    let mut others = home.begin_as(&somebody, &["run", "-n", "1", "-t", "native"]);
    let mut roots = home.begin(&["run", "-n", "1", "-t", "native"]);
    assert!(others.is_busy() && roots.is_busy());
    drop(first);
    drop(second);
    others.answer().expect(0);
    roots.answer().expect(0);
    home.wbctl_as(&nobody, &["run", "-n", "1", "-t", "native"])
        .expect(0);
}

/// Needs root.
#[test]
fn a_user_whose_experiments_fill_their_part_of_the_store_must_remove_some() {
    let home = Home::with_dist_for_everyone();
    let wbd = start(&home, "disk_mib = 1\n");
    let nobody = User::nobody();
    let noop = home.program("noop");
    let many = ["run", "-n", "4000", "--warmup", "0", "--", &noop];
    refused(
        home.wbctl_as(&nobody, &many),
        &["1 MiB", "wbctl rm", "`disk_mib`"],
    );
    let kept = home.show("latest");
    let made = kept.cells[0].samples.len();
    assert!((200..4_000).contains(&made), "{made} runs were kept");
    wbd.stop();
    let _wbd = start(&home, "disk_mib = 1\n"); // which has not forgotten
    let one = ["run", "-n", "1", "--", &noop];
    refused(home.wbctl_as(&nobody, &one), &["MiB of the store", "wbctl rm"]);
    home.wbctl_as(&User::somebody(), &one).expect(0);
    home.wbctl(&one).expect(0);
    home.wbctl_as(&nobody, &["rm", &kept.experiment]).expect(0);
    home.wbctl_as(&nobody, &one).expect(0);
}

/// Needs root.
#[test]
fn a_configuration_that_makes_no_sense_keeps_the_daemon_from_starting() {
    let home = Home::new();
    for (text, words) in [
        ("[limits]\nques = 2\n", ["ques", "queue"]),
        ("[limits]\nruns = -1\n", ["runs", "-1"]),
        ("sockets = \"/x\"\n", ["sockets", "socket"]),
    ] {
        let config = home.file("wbd.toml", text, 0o644);
        let mut wbd = home.wbd();
        let answer = wbd_tests::client::Client::spawn(wbd.args(["--config", &config])).answer();
        answer.expect(1).saying(&[&config]).saying(&words);
    }
}
