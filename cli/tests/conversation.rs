//! `wbctl` against a server that speaks the daemon's protocol: what it prints, and how it exits.

mod support;

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use support::{Daemon, document};
use wbd_model::Experiment;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
}

#[test]
fn every_status_ends_in_the_exit_code_of_the_contract() {
    let daemon = Daemon::start();
    for (experiment, code) in [
        ("7", 0),
        ("broken", 1),
        ("invalid", 2),
        ("gone", 2),
        ("ending", 3),
        ("forbidden", 4),
        ("full", 4),
        ("early", 4),
    ] {
        let output = daemon.output(&["show", experiment]);
        assert_code(&output, code);
        let said = format!("the script says {experiment}");
        assert_eq!(
            text(&output.stderr).contains(&said),
            code != 0,
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn every_command_is_answered_as_text_and_as_one_json_document() {
    let daemon = Daemon::start();
    for line in [
        &["doctor"][..],
        &["targets"],
        &["workloads"],
        &["list"],
        &["show", "7", "--runs"],
        &["rm", "7"],
        &["hist", "7"],
        &["timeline", "7"],
        &["report", "7"],
        &["compare", "7:0", "7:1"],
        &["anomalies", "7"],
        &["explain", "7:0", "7:1"],
        &["run", "-t", "native"],
        &["export", "7", "--format", "json"],
    ] {
        let drawn = daemon.output(line);
        assert_code(&drawn, 0);
        assert!(!drawn.stdout.is_empty() && drawn.stderr.is_empty(), "{line:?}");
        assert!(!drawn.stdout.contains(&0x1b), "{line:?}: no colour in a pipe");

        let json = daemon.output(&[line, &["--json"]].concat());
        assert_code(&json, 0);
        assert_eq!(text(&json.stdout).lines().count(), 1, "{line:?}");
        serde_json::from_slice::<serde_json::Value>(&json.stdout).unwrap();
    }
}

#[test]
fn a_document_comes_through_unharmed() {
    let daemon = Daemon::start();
    for line in [
        &["--json", "show", "7"][..],
        &["--json", "run", "-t", "native"],
        &["export", "7", "--format", "json"],
    ] {
        let output = daemon.output(line);
        assert_eq!(
            serde_json::from_slice::<Experiment>(&output.stdout).unwrap(),
            document()
        );
    }
}

#[test]
fn a_run_that_does_not_count_is_in_the_table_and_in_the_exit_code() {
    let output = Daemon::start().output(&["run", "-t", "faulty"]);
    assert_code(&output, 1);
    let table = text(&output.stdout);
    assert!(
        table.contains("failed: native/a,b (small): 1 of 3 runs made do not count: exited with 3 (1 x)"),
        "{table}"
    );
    assert!(text(&output.stderr).contains("1 run does not count"));
}

#[test]
fn an_experiment_that_did_not_end_well_is_a_failure() {
    let daemon = Daemon::start();
    let short = daemon.output(&["run", "-t", "cut-short"]);
    assert_code(&short, 1);
    assert!(text(&short.stderr).contains("interrupted"));
    let lost = daemon.output(&["run", "-t", "vanishing"]);
    assert_code(&lost, 1);
    assert!(text(&lost.stderr).contains("no result"));
}

#[test]
fn a_daemon_that_dies_under_an_experiment_is_unreachable() {
    let daemon = Daemon::start();
    let mut client = daemon.wbctl(&["run", "-t", "endless"]);
    let client = client
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    daemon.die();
    let begun = Instant::now();
    let output = client.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_code(&output, 3);
    println!("{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("the connection to the daemon broke"));
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let daemon = Daemon::start();
    let mut client = daemon
        .wbctl(&["list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(client.stdout.take());
    let output = client.wait_with_output().unwrap();
    assert_code(&output, 0);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn csv_has_a_line_for_each_value_and_quotes_what_needs_it() {
    let output = Daemon::start().output(&["export", "7", "--format", "csv"]);
    assert_code(&output, 0);
    println!("{}", text(&output.stdout));
    let lines: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(output.stdout.as_slice())
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let expected = [
        "experiment,target,workload,run,order,valid,kind,name,value,unit,size"
            .split(',')
            .collect::<Vec<_>>(),
        vec![
            "7", "native", "a,b", "0", "1", "true", "exit", "code", "0", "", "small",
        ],
        vec![
            "7", "native", "a,b", "0", "1", "true", "metric", "startup", "5", "ns", "small",
        ],
        vec![
            "7", "native", "a,b", "0", "1", "true", "instant", "launch", "100", "ns", "small",
        ],
        vec![
            "7",
            "native",
            "a,b",
            "1",
            "0",
            "true",
            "exit",
            "not_started",
            "no, \"never\"",
            "",
            "small",
        ],
    ];
    assert_eq!(lines, expected);
}

#[test]
fn csv_and_json_contradict_each_other() {
    assert_code(
        &Daemon::start().output(&["--json", "export", "7", "--format", "csv"]),
        2,
    );
}
