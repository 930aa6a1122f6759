//! Documents to draw in tests: three targets as different as they come.

use std::collections::BTreeMap;

use wbd_model::document::{State, Timeline, TimelineMark};
use wbd_model::host::Machine;
use wbd_model::request::Timelines;
use wbd_model::{Cell, Exit, Experiment, Instant, InstantName as I, Metric, Phase, Report, Sample, Summary};

const MS: u64 = 1_000_000;

fn summary(metric: Metric, p50: u64) -> (Metric, Summary) {
    let summary = Summary {
        unit: metric.unit(),
        n: 30,
        min: p50 - p50 / 20,
        p50,
        p90: p50 + p50 / 16,
        p99: p50 + p50 / 8,
        max: p50 + p50 / 4,
        mean: p50 as f64 * 1.01,
        ci95: [p50 - p50 / 100, p50 + p50 / 50],
        p90_ci95: None,
        p99_ci95: None,
    };
    (metric, summary)
}

fn chain(marks: &[(I, u64)]) -> Vec<Phase> {
    let phase = |pair: &[(I, u64)]| Phase {
        from: pair[0].0,
        to: pair[1].0,
        ns: pair[1].1 - pair[0].1,
    };
    marks.windows(2).map(phase).collect()
}

fn cell(target: &str, workload: &str, cache: &str, figures: [u64; 7], marks: &[(I, u64)]) -> Cell {
    let metrics = [
        Metric::Startup,
        Metric::Execution,
        Metric::Wall,
        Metric::CpuTime,
        Metric::RssPeak,
        Metric::CgroupPeak,
        Metric::PageFaults,
    ];
    let no_counters = "this machine has no hardware performance counters".to_owned();
    Cell {
        target: target.into(),
        workload: workload.into(),
        args: vec![],
        size: None,
        disk: None,
        cache: cache.into(),
        runs: 30,
        valid: 30,
        failed: 0,
        metrics: metrics
            .into_iter()
            .zip(figures)
            .map(|(metric, p50)| summary(metric, p50))
            .collect(),
        phases: chain(marks),
        unavailable: [Metric::Cycles, Metric::Instructions]
            .map(|metric| (metric, no_counters.clone()))
            .into(),
        samples: vec![],
        failures: BTreeMap::new(),
        remarks: BTreeMap::new(),
        outliers: Vec::new(),
        outlier_causes: BTreeMap::new(),
    }
}

fn native() -> Cell {
    let marks = [
        (I::Launch, 0),
        (I::Exec, 310_000),
        (I::FirstUser, 355_000),
        (I::Entry, 612_000),
        (I::Guest, 612_000),
        (I::Exit, 700_000),
    ];
    let figures = [612_000, 88_000, 700_000, 420_000, 1_600_000, 0, 96];
    let mut cell = cell("native", "empty", "page cache warm", figures, &marks);
    cell.metrics.extend([(
        Metric::Startup,
        Summary {
            p99: 690_000,
            ci95: [604_000, 626_000],
            ..summary(Metric::Startup, 612_000).1
        },
    )]);
    cell.metrics.remove(&Metric::CgroupPeak);
    cell.unavailable.insert(
        Metric::CgroupPeak,
        "the cgroup of this kernel keeps no peak".into(),
    );
    cell
}

fn wasmtime() -> Cell {
    let marks = [
        (I::Launch, 0),
        (I::Exec, 320_000),
        (I::FirstUser, 370_000),
        (I::Entry, 900_000),
        (I::EngineReady, 2 * MS),
        (I::ModuleReady, 31 * MS),
        (I::InstanceReady, 31_400_000),
        (I::Guest, 31_450_000),
        (I::Exit, 412 * MS),
    ];
    let figures = [
        31_450_000,
        380 * MS,
        412 * MS,
        450 * MS,
        28_000_000,
        19_000_000,
        5_310,
    ];
    let mut cell = cell(
        "wasmtime-jit",
        "fasta",
        "page cache warm, code compiled now",
        figures,
        &marks,
    );
    (cell.valid, cell.failed) = (28, 2);
    cell.failures = [("exited with 134".to_owned(), 1), ("lost 3 events".to_owned(), 1)].into();
    cell
}

fn docker() -> Cell {
    let marks = [
        (I::Launch, 0),
        (I::Created, 62 * MS),
        (I::StartSent, 62_100_000),
        (I::ShimExec, 123 * MS),
        (I::RuncExec, 139 * MS),
        (I::CgroupMade, 178 * MS),
        (I::Exec, 403_600_000),
        (I::FirstUser, 403_640_000),
        (I::Entry, 403_660_000),
        (I::Guest, 403_660_000),
        (I::Exit, 404 * MS),
        (I::WaitReturned, 431 * MS),
    ];
    let figures = [
        403_660_000,
        340_000,
        404 * MS,
        31 * MS,
        1_500_000,
        5_000_000,
        12_345,
    ];
    let mut cell = cell("docker", "empty", "page cache warm", figures, &marks);
    cell.metrics.extend([summary(Metric::StartOnly, 341_560_000)]);
    cell
}

/// An experiment of three cells, one of which lost runs.
pub(crate) fn experiment() -> Experiment {
    Experiment {
        schema: wbd_model::SCHEMA,
        experiment: "7".into(),
        created: 1_795_374_000,
        state: State::Done,
        seed: 42,
        machine: Machine {
            kernel: "6.18.0".into(),
            arch: "x86_64".into(),
            cpu: "Example CPU @ 2.80GHz".into(),
            cpus: 2,
            memory_bytes: 24 << 30,
            cgroups: "hybrid".into(),
            governor: None,
            hypervisor: Some("kvm".into()),
            load_centi: 7,
            entry_bias: None,
            wbd: "0.1.0".into(),
            ..Machine::default()
        },
        cells: vec![native(), wasmtime(), docker()],
        warnings: vec!["this machine is a guest: time it was not given counts as the program's".into()],
    }
}

/// Three runs in another order than their numbers: one well, one lossy, one that never began.
pub(crate) fn samples() -> Vec<Sample> {
    let sample = |run, order, valid, exit, notes: &[&str]| Sample {
        run,
        order,
        valid,
        exit,
        instants: [(I::Launch, Instant::seen(1_000, "tp:sys_enter_execve"))].into(),
        metrics: [(Metric::Startup, 612_345), (Metric::PageFaults, 96)].into(),
        notes: notes.iter().map(|&note| note.into()).collect(),
        threads: Vec::new(),
    };
    let mut lost = sample(1, 3, false, Exit::NotStarted("no such image".into()), &[]);
    (lost.metrics, lost.instants) = (BTreeMap::new(), BTreeMap::new());
    vec![
        sample(0, 5, true, Exit::Code(0), &[]),
        lost,
        sample(2, 0, false, Exit::Signal(9), &["lost 3 events, \"quoted\""]),
    ]
}

/// Medians of one cell and one run of another.
pub(crate) fn timelines() -> Timelines {
    let timeline = |cell: Cell, run| {
        let mut offset = 0;
        let mut marks = vec![TimelineMark {
            name: I::Launch,
            offset_ns: 0,
            method: "tp:sys_enter_execve".into(),
            confidence: None,
        }];
        for phase in &cell.phases {
            offset += phase.ns as i64;
            marks.push(TimelineMark {
                name: phase.to,
                offset_ns: offset,
                method: "tp:sched_process_exec".into(),
                confidence: None,
            });
        }
        Timeline {
            target: cell.target,
            workload: cell.workload,
            size: cell.size,
            run,
            marks,
        }
    };
    Timelines {
        experiment: "7".into(),
        cells: vec![timeline(wasmtime(), None), timeline(docker(), Some(3))],
    }
}

/// The report on the experiment, with runs that gave what its cells say, and a cell that could not be measured.
pub(crate) fn report() -> Report {
    let mut experiment = experiment();
    let mut broken = wasmtime();
    (broken.target, broken.valid, broken.failed) = ("wasmtime-aot".into(), 0, 0);
    broken.metrics.clear();
    broken
        .unavailable
        .insert(Metric::Wall, "no runner is there".into());
    let mut native = native();
    native.workload = "fasta".into();
    experiment.cells.extend([native, broken]);
    for cell in &mut experiment.cells {
        cell.samples = (0..cell.valid).map(|run| run_of(cell, run)).collect();
    }
    wbd_analysis::report::report(&experiment, &|_, _| None)
}

/// A run whose figures lie around the medians of its cell.
fn run_of(cell: &Cell, run: u32) -> Sample {
    let near = |summary: &Summary| summary.p50 + summary.p50 / 200 * u64::from(run % 7);
    Sample {
        run,
        order: run,
        valid: true,
        exit: Exit::Code(0),
        instants: BTreeMap::new(),
        metrics: cell
            .metrics
            .iter()
            .map(|(metric, summary)| (*metric, near(summary)))
            .collect(),
        notes: vec![],
        threads: Vec::new(),
    }
}
