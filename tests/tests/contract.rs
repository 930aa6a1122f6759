//! What others script against: the form of the documents, the commands and their exit codes.

use std::fs;

use serde_json::Value;
use wbd_model::Sample;
use wbd_model::document::State;
use wbd_model::host::Diagnosis;
use wbd_model::request::{ExperimentList, TargetList, WorkloadList};
use wbd_tests::{Home, docker, wait};

const FOUR: &str = "--json run -t native -t wasmtime-jit -t wasmtime-aot -t docker -w empty -n 20 --seed 7";
/// Every target, in the order of the tables.
const TARGETS: [&str; 17] = [
    "native",
    "native-dynamic",
    "wasmtime-jit",
    "wasmtime-aot",
    "wasmer-cranelift-jit",
    "wasmer-cranelift-aot",
    "wasmer-singlepass-jit",
    "wasmer-singlepass-aot",
    "wasmer-llvm-jit",
    "wasmer-llvm-aot",
    "wasmedge-interp",
    "wasmedge-jit",
    "wasmedge-aot",
    "wasmi",
    "wasm3",
    "wamr-interp",
    "docker",
];
/// Metrics that every cell has, or says why not.
const METRICS: [(&str, &str); 9] = [
    ("startup", "ns"),
    ("execution", "ns"),
    ("wall", "ns"),
    ("cpu_time", "ns"),
    ("runqueue_wait", "ns"),
    ("off_cpu", "ns"),
    ("rss_peak", "bytes"),
    ("cgroup_peak", "bytes"),
    ("page_faults", "count"),
];

/// Needs root and Docker.
#[test]
fn docker_and_the_other_targets_make_a_document_of_the_contracts_form() {
    docker::require();
    let home = Home::new();
    let _wbd = home.start();
    let line: Vec<&str> = FOUR.split(' ').collect();
    let answer = home.wbctl(&line).expect(0);
    assert_eq!(answer.stdout.lines().count(), 1, "one document on one line");
    let document: Value = answer.json();
    assert_eq!((&document["schema"], &document["seed"]), (&1.into(), &7.into()));
    assert!(document["experiment"].is_string() && document["machine"].is_object());
    let cells = document["cells"].as_array().unwrap();
    let targets: Vec<&Value> = cells.iter().map(|cell| &cell["target"]).collect();
    assert_eq!(targets, ["native", "wasmtime-jit", "wasmtime-aot", "docker"]);
    for cell in cells {
        assert_eq!(cell["workload"], "empty");
        assert_eq!(cell["args"], Value::Array(vec![]));
        assert_eq!(
            (&cell["runs"], &cell["valid"], &cell["failed"]),
            (&20.into(), &20.into(), &0.into())
        );
        METRICS
            .iter()
            .for_each(|(name, unit)| assert_metric(cell, name, unit));
    }
    let shown = home
        .wbctl(&["--json", "show", "latest", "--runs"])
        .expect(0)
        .json();
    assert_samples(&shown);
}

/// A metric is there in full, or absent and explained; one that is there is not explained away.
#[track_caller]
fn assert_metric(cell: &Value, name: &str, unit: &str) {
    let (summary, why) = (&cell["metrics"][name], &cell["unavailable"][name]);
    if summary.is_null() {
        assert!(
            why.as_str().is_some_and(|why| !why.is_empty()),
            "{}: no {name}, and no word on it",
            cell["target"]
        );
        return;
    }
    assert!(
        why.is_null(),
        "{}: {name} is there and unavailable: {why}",
        cell["target"]
    );
    assert_eq!(summary["unit"], unit);
    let values = summary["n"].as_u64().unwrap();
    // The kernel charges memory in batches: a small run may live on what was charged before it.
    assert!(
        values == 20 || name == "cgroup_peak" && (1..20).contains(&values),
        "{name}: {summary}"
    );
    let [min, p50, p90, p99, max] =
        ["min", "p50", "p90", "p99", "max"].map(|key| summary[key].as_u64().unwrap());
    assert!(min <= p50 && p50 <= p90 && p90 <= p99 && p99 <= max, "{summary}");
    let mean = summary["mean"].as_f64().unwrap();
    assert!(min as f64 <= mean && mean <= max as f64, "{summary}");
    let [low, high] = [0, 1].map(|end| summary["ci95"][end].as_u64().unwrap());
    assert!(
        min <= low && low <= p50 && p50 <= high && high <= max,
        "{summary}"
    );
}

#[track_caller]
fn assert_samples(shown: &Value) {
    for cell in shown["cells"].as_array().unwrap() {
        let samples = cell["samples"].as_array().unwrap();
        let runs: Vec<u64> = samples
            .iter()
            .map(|sample| sample["run"].as_u64().unwrap())
            .collect();
        assert_eq!(runs, (0..20).collect::<Vec<u64>>());
        for sample in samples {
            assert_eq!(
                (&sample["valid"], &sample["exit"]["code"]),
                (&true.into(), &0.into())
            );
            assert!(sample["notes"].is_array());
            assert!(sample["metrics"]["startup"].is_u64());
            let launch = &sample["instants"]["launch"];
            assert!(launch["ns"].is_u64() && launch["method"].is_string(), "{launch}");
        }
    }
}

/// The summaries are those of the samples, computed here once more. Needs root.
#[test]
fn summaries_are_those_of_the_valid_runs() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-t", "native", "-n", "21"]);
    let cell = &made.cells[0];
    for (&name, summary) in &cell.metrics {
        let of_run = |sample: &Sample| sample.metrics.get(&name).copied();
        let mut values: Vec<u64> = cell.samples.iter().filter_map(of_run).collect();
        values.sort_unstable();
        assert_eq!(summary.n, values.len() as u64, "{name}");
        let found = [summary.min, summary.p50, summary.p90, summary.p99, summary.max];
        let at = |percent: usize| values[(values.len() * percent).div_ceil(100).max(1) - 1];
        assert_eq!(found, [0, 50, 90, 99, 100].map(at), "{name}");
        let mean = values.iter().sum::<u64>() as f64 / values.len() as f64;
        assert!(
            (summary.mean - mean).abs() <= mean * 1e-9,
            "{name}: {mean} {}",
            summary.mean
        );
    }
}

/// Needs root.
#[test]
fn experiments_are_listed_newest_first_shown_by_name_and_removed() {
    let home = Home::new();
    let _wbd = home.start();
    let [old, new] = ["2", "3"].map(|runs| home.measure(&["-t", "native", "-n", runs]));
    let list = home
        .wbctl(&["--json", "list"])
        .expect(0)
        .json::<ExperimentList>()
        .experiments;
    let names: Vec<&str> = list.iter().map(|line| line.experiment.as_str()).collect();
    assert_eq!(names, [new.experiment.as_str(), &old.experiment]);
    assert_eq!((list[1].state, list[1].runs, list[1].failed), (State::Done, 2, 0));
    assert_eq!(
        (&list[1].targets[..], &list[1].workloads[..]),
        (&["native".into()][..], &["empty".into()][..])
    );
    assert_eq!(home.show("latest"), new);
    home.wbctl(&["rm", &new.experiment]).expect(0);
    home.wbctl(&["show", &new.experiment])
        .expect(2)
        .saying(&["no experiment", &new.experiment]);
    home.wbctl(&["rm", &new.experiment]).expect(2);
    assert_eq!(home.show("latest"), old);
}

/// Needs root.
#[test]
fn the_exit_code_tells_how_it_went() {
    let home = Home::new();
    home.wbctl(&["list"]).expect(3).saying(&["no daemon", "sudo wbd"]);
    let _wbd = home.start();
    let hang = home.program("hang");
    for (line, code) in [
        (&["run", "-t", "native", "-n", "1"][..], 0),
        (&["run", "-n", "1", "--", "/bin/false"], 1),
        (&["run"], 2),
        (&["run", "-t", "natvie"], 2),
        (&["run", "-t", "native", "-w", "emtpy"], 2),
        (&["run", "-t", "native", "-n", "0"], 2),
        (&["show", "no-such"], 2),
        (&["hist", "latest", "--metric", "speed"], 2),
        (&["timeline", "no-such"], 2),
        (&["export", "latest", "--format", "xml"], 2),
        (&["frobnicate"], 2),
    ] {
        let answer = home.wbctl(line).expect(code);
        assert_eq!(answer.stderr.is_empty(), code == 0, "{line:?}: {answer:#?}");
        assert!(!answer.stderr.contains("panicked"), "{line:?}: {answer:#?}");
    }
    let _running = home.begin(&["run", "-n", "1", "--warmup", "0", "--", &hang]);
    wait::until("it runs", || !home.processes().is_empty());
    home.wbctl(&["rm", "latest"])
        .expect(4)
        .saying(&["refused", "running"]);
}

/// Needs root.
#[test]
fn an_unknown_name_is_answered_with_those_there_are() {
    let home = Home::new();
    let _wbd = home.start();
    home.wbctl(&["run", "-t", "natvie"])
        .expect(2)
        .saying(&["natvie", "native", "wasmtime-jit"]);
    home.wbctl(&["run", "-t", "native", "-w", "emtpy"])
        .expect(2)
        .saying(&["emtpy", "empty", "fasta"]);
}

/// Needs root.
#[test]
fn targets_and_workloads_are_listed_with_what_is_missing_and_how_to_get_it() {
    let home = Home::new();
    let _wbd = home.start();
    let targets = home
        .wbctl(&["--json", "targets"])
        .expect(0)
        .json::<TargetList>()
        .targets;
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, TARGETS);
    for target in targets
        .iter()
        .filter(|target| target.name.starts_with("wasmtime"))
    {
        assert!(
            target
                .version
                .as_ref()
                .is_some_and(|version| version.starts_with("wasmtime ")),
            "{target:?}"
        );
        let (engine, backend) = (target.engine.as_deref(), target.backend.as_deref());
        assert_eq!((engine, backend), (Some("wasmtime"), Some("cranelift")));
        let runner = target.from.as_ref().unwrap();
        assert_eq!(
            fs::metadata(runner).unwrap().len(),
            target.bytes.unwrap(),
            "it is one file"
        );
    }
    for unavailable in targets.iter().filter_map(|target| target.unavailable.as_ref()) {
        assert!(
            !unavailable.why.is_empty() && !unavailable.mend.is_empty(),
            "{unavailable:?}"
        );
    }
    let workloads = home
        .wbctl(&["--json", "workloads"])
        .expect(0)
        .json::<WorkloadList>()
        .workloads;
    let names: Vec<&str> = workloads.iter().map(|workload| workload.name.as_str()).collect();
    let seven = [
        "binarytree",
        "empty",
        "fannkuchredux",
        "fasta",
        "n_body",
        "simple",
        "spectralnorm",
    ];
    assert_eq!(names, seven);
    assert!(
        workloads.iter().all(|workload| workload.unavailable.is_none()),
        "{workloads:#?}"
    );
}

/// Needs root.
#[test]
fn the_doctor_knows_the_machine_and_says_what_to_do() {
    let home = Home::new();
    let _wbd = home.start();
    let diagnosis: Diagnosis = home.wbctl(&["--json", "doctor"]).expect(0).json();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(diagnosis.machine.kernel, kernel.trim());
    assert_eq!(
        diagnosis.machine.cpus as usize,
        std::thread::available_parallelism().unwrap().get()
    );
    assert!(diagnosis.checks.len() > 5, "{diagnosis:#?}");
    assert!(
        diagnosis.checks.iter().all(|check| !check.found.is_empty()),
        "{diagnosis:#?}"
    );
    let found = |name: &str| {
        let check = diagnosis.checks.iter().find(|check| check.name == name);
        check.unwrap().found.as_str()
    };
    let weight = found("own weight");
    assert!(weight.contains(" us ") && weight.contains('%'), "{weight}");
    let hits = found("probe hits");
    for said in ["system call", "a mark costs", "statistics: "] {
        assert!(hits.contains(said), "{hits}");
    }
    let bias = found("first instruction");
    assert!(bias.contains(" us before it runs"), "{bias}");
}

/// Needs root.
#[test]
fn the_socket_can_be_named_by_flag_or_environment() {
    let home = Home::new();
    let _wbd = home.start();
    let mut wbctl = std::process::Command::new(home.wbctl_command(&[]).get_program());
    wbctl.arg("list").env("WBD_SOCKET", home.socket());
    assert!(wbctl.output().unwrap().status.success());
    let mut both = home.wbctl_command(&["list"]);
    assert!(
        both.env("WBD_SOCKET", "/no/such")
            .output()
            .unwrap()
            .status
            .success(),
        "the flag wins"
    );
}
