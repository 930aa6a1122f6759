//! The study's own figures, fed as an experiment, must agree with the study everywhere and answer the claims as
//! its figures do; made tables must not.

use std::collections::BTreeMap;

use wbd_model::document::State;
use wbd_model::host::Machine;
use wbd_model::report::{Bound, Claim, Figure, Group, Mark, Report, Row, Verdict};
use wbd_model::{Cell, Exit, Experiment, Metric, Sample, Size};

use super::study::{Table, WORKLOADS, platform};

const RUNS: u32 = 10;

/// A cell all of whose runs gave the same figures.
fn cell(target: &str, workload: &str, args: &[&str], metrics: &[(Metric, u64)]) -> Cell {
    let metrics: BTreeMap<Metric, u64> = metrics.iter().copied().collect();
    let sample = |run| Sample {
        run,
        order: run,
        valid: true,
        exit: Exit::Code(0),
        instants: BTreeMap::new(),
        metrics: metrics.clone(),
        notes: Vec::new(),
        threads: Vec::new(),
    };
    Cell {
        target: target.into(),
        workload: workload.into(),
        args: args.iter().map(|&arg| arg.into()).collect(),
        cache: String::new(),
        runs: RUNS,
        valid: RUNS,
        failed: 0,
        metrics: BTreeMap::new(),
        phases: Vec::new(),
        unavailable: BTreeMap::new(),
        samples: (0..RUNS).map(sample).collect(),
        failures: BTreeMap::new(),
        remarks: BTreeMap::new(),
        outliers: Vec::new(),
        outlier_causes: BTreeMap::new(),
        size: None,
        disk: None,
    }
}

fn experiment(arch: &str, cells: Vec<Cell>) -> Experiment {
    Experiment {
        schema: wbd_model::SCHEMA,
        experiment: "7".into(),
        created: 0,
        state: State::Done,
        seed: 1,
        machine: Machine {
            arch: arch.into(),
            ..Machine::default()
        },
        cells,
        warnings: Vec::new(),
    }
}

fn report(arch: &str, cells: Vec<Cell>) -> Report {
    super::report(&experiment(arch, cells), &|_, args| match args {
        [size] if size == "large" => Some(Size::Seed),
        [size] if size == "small" => Some(Size::Quick),
        _ => None,
    })
}

/// The study's tables as an experiment; of a bound, twice the bound.
fn the_study(arch: &str) -> Vec<Cell> {
    let platform = platform(arch).unwrap();
    let of_native = |table, workload: &str, target: &str| platform.over_native(table, workload, target);
    let mut cells = Vec::new();
    for workload in WORKLOADS {
        let mut targets: Vec<&str> = platform.targets(Table::Time, workload).collect();
        targets.sort_unstable();
        targets.dedup();
        for target in targets {
            let time = of_native(Table::Time, workload, target).unwrap().figure;
            let seconds = if time.bound == Bound::MoreThan { 2.0 } else { 1.0 } * time.value;
            let mut metrics = vec![(Metric::Wall, (seconds * 1e9) as u64)];
            let memory = of_native(Table::Memory, workload, target);
            metrics.extend(memory.map(|memory| (Metric::RssPeak, (memory.figure.value * 1e6) as u64)));
            cells.push(cell(target, workload, &["large"], &metrics));
        }
    }
    cells
}

fn rows(groups: &[Group]) -> impl Iterator<Item = (&str, &Row)> {
    groups
        .iter()
        .flat_map(|group| group.rows.iter().map(|row| (group.workload.as_str(), row)))
}

#[track_caller]
fn claim<'a>(report: &'a Report, name: &str) -> &'a Claim {
    report.claims.iter().find(|claim| claim.name == name).unwrap()
}

#[track_caller]
fn row<'a>(groups: &'a [Group], workload: &str, target: &str) -> &'a Row {
    let mut found = rows(groups).filter(|(of, row)| *of == workload && row.target == target);
    found.next().unwrap().1
}

#[test]
fn the_studys_own_figures_agree_with_it_everywhere() {
    for arch in ["x86_64", "aarch64"] {
        let report = report(arch, the_study(arch));
        let mut compared = 0;
        for (workload, row) in rows(&report.time).chain(rows(&report.memory)) {
            assert_ne!(row.compared.mark, Mark::Disagrees, "{arch} {workload}: {row:#?}");
            compared += u32::from(row.compared.mark == Mark::Agrees);
        }
        // 6 workloads x 6 targets but native x 2 tables, 2 bounds and the container on x86-64.
        assert_eq!(compared, if arch == "x86_64" { 60 + 2 + 2 } else { 60 });
    }
}

#[test]
fn the_claims_are_answered_as_the_studys_figures_answer_them() {
    let x86 = report("x86_64", the_study("x86_64"));
    let arm = report("aarch64", the_study("aarch64"));
    for (report, name, verdict) in [
        (&x86, "faster-20-percent", Verdict::Holds),
        (&x86, "faster-20-percent-code", Verdict::Unanswered),
        (&x86, "faster-10-to-50-percent", Verdict::Holds),
        (&x86, "wasmedge-aot-near-native", Verdict::Holds),
        (&x86, "wasmer-fasta-tenfold", Verdict::Fails),
        (&arm, "wasmer-fasta-tenfold", Verdict::Holds),
        (&x86, "jit-like-aot", Verdict::Holds),
        (&x86, "wasmedge-interpreter-10x", Verdict::Holds),
        (&x86, "memory-order", Verdict::Holds),
        (&arm, "memory-order", Verdict::Partly),
        (&arm, "faster-20-percent", Verdict::Unanswered),
        (&x86, "size-1-percent", Verdict::Unanswered),
    ] {
        let claim = claim(report, name);
        assert_eq!(claim.verdict, verdict, "{claim:#?}");
    }
    let near = claim(&x86, "wasmedge-aot-near-native");
    let holds = near
        .evidence
        .iter()
        .filter(|seen| seen.verdict == Verdict::Holds)
        .count();
    assert_eq!((holds, near.evidence.len()), (4, 6));
}

#[test]
fn the_start_the_study_timed_agrees_with_its_bound_and_leaves_the_claim_open() {
    let start = |wasm_ns| {
        let native = cell("docker", "binarytree", &["0"], &[(Metric::Wall, 580_000_000)]);
        let wasm = cell("wasmedge-aot", "binarytree", &["0"], &[(Metric::Wall, wasm_ns)]);
        report("x86_64", vec![native, wasm])
    };
    // Less than 0.01 s: of 9 ms the claim is wrong, of 5 ms it is right, and both agree with what was printed.
    for (ns, verdict) in [(9_000_000, Verdict::Fails), (5_000_000, Verdict::Holds)] {
        let report = start(ns);
        let row = report
            .startup
            .rows
            .iter()
            .find(|row| row.target == "wasmedge-aot")
            .unwrap();
        assert_eq!(
            (row.wall.mark, claim(&report, "start-100x-wasmedge").verdict),
            (Mark::Agrees, verdict)
        );
    }
    let row = &start(20_000_000).startup.rows[1];
    assert_eq!(row.wall.mark, Mark::Disagrees, "{row:#?}");
}

#[test]
fn a_figure_off_by_more_than_the_tolerance_is_marked_and_its_neighbours_are_not() {
    let mut cells = the_study("x86_64");
    let changed = cells
        .iter_mut()
        .find(|cell| cell.workload == "fasta" && cell.target == "wasmtime-aot")
        .unwrap();
    for sample in &mut changed.samples {
        *sample.metrics.get_mut(&Metric::Wall).unwrap() *= 2;
    }
    let report = report("x86_64", cells);
    let wrong: Vec<_> = rows(&report.time)
        .filter(|(_, row)| row.compared.mark == Mark::Disagrees)
        .map(|(workload, row)| (workload, row.target.as_str()))
        .collect();
    assert_eq!(wrong, [("fasta", "wasmtime-aot")]);
}

#[test]
fn a_claim_fails_where_the_figures_say_otherwise() {
    let cells = |container, wasm| {
        vec![
            cell("docker", "binarytree", &["large"], &[(Metric::Wall, container)]),
            cell("wasmedge-aot", "binarytree", &["large"], &[(Metric::Wall, wasm)]),
        ]
    };
    let slower = report("x86_64", cells(1_000, 1_100));
    assert_eq!(claim(&slower, "faster-20-percent").verdict, Verdict::Fails);
    assert_eq!(claim(&slower, "faster-10-to-50-percent").verdict, Verdict::Fails);
    let much_faster = report("x86_64", cells(2_000, 1_000));
    assert_eq!(claim(&much_faster, "faster-20-percent").verdict, Verdict::Holds);
    assert_eq!(
        claim(&much_faster, "faster-10-to-50-percent").verdict,
        Verdict::Fails
    );
}

#[test]
fn an_interval_on_both_sides_of_a_claim_leaves_it_undecided() {
    let mut docker = cell("docker", "simple", &["large"], &[(Metric::Wall, 1_200)]);
    for (sample, wall) in docker
        .samples
        .iter_mut()
        .zip([900, 950, 1_000, 1_100, 1_200, 1_250, 1_300, 1_400, 1_500, 1_600])
    {
        sample.metrics.insert(Metric::Wall, wall);
    }
    let wasm = cell("wasmedge-aot", "simple", &["large"], &[(Metric::Wall, 1_000)]);
    let report = report("x86_64", vec![docker, wasm]);
    assert_eq!(claim(&report, "faster-20-percent").verdict, Verdict::Undecided);
}

#[test]
fn ratios_are_of_the_same_arguments_and_claims_of_the_largest_size() {
    let wall = |target, size, ns| cell(target, "fasta", &[size], &[(Metric::Wall, ns)]);
    let report = report(
        "x86_64",
        vec![
            wall("native", "small", 10),
            wall("wasmi", "small", 400),
            wall("native", "large", 1_000),
            wall("wasmedge-aot", "small", 30),
            wall("wasmedge-aot", "large", 1_100),
        ],
    );
    let fasta: Vec<&Group> = report
        .time
        .iter()
        .filter(|group| group.workload == "fasta")
        .collect();
    assert_eq!(
        [fasta[0].size, fasta[1].size],
        [Some(Size::Seed), Some(Size::Quick)]
    );
    let of = |group: &Group, target: &str| {
        let row = group.rows.iter().find(|row| row.target == target).unwrap();
        (
            row.compared.figure.clone(),
            row.compared.ratio.map(|ratio| ratio.value),
        )
    };
    assert_eq!(of(fasta[0], "wasmedge-aot").1, Some(1.1));
    assert_eq!(of(fasta[1], "wasmedge-aot").1, Some(3.0));
    assert_eq!(of(fasta[1], "wasmi").1, Some(40.0));
    let elsewhere = Figure::Absent("not measured with these arguments".into());
    assert_eq!(of(fasta[0], "wasmi"), (elsewhere, None));
    let near = claim(&report, "wasmedge-aot-near-native");
    assert_eq!(near.evidence[0].args, ["large"]);
}

#[test]
fn what_is_missing_is_said_with_its_reason_and_is_never_a_figure() {
    let mut broken = cell("wasmtime-aot", "fasta", &["large"], &[]);
    broken.samples.clear();
    broken.valid = 0;
    broken
        .unavailable
        .insert(Metric::Wall, "no runner; build it".into());
    let native = cell("native", "fasta", &["large"], &[(Metric::Wall, 5)]);
    let report = report("x86_64", vec![native, broken]);
    let said = |workload, target| row(&report.time, workload, target).compared.figure.clone();
    let absent = |why: &str| Figure::Absent(why.to_owned());
    assert_eq!(
        said("fasta", "wasmtime-aot"),
        absent("unavailable: no runner; build it")
    );
    assert_eq!(said("fasta", "wasmedge-aot"), absent("not measured"));
    assert_eq!(said("simple", "native"), absent("not measured"));
    assert_eq!(
        row(&report.memory, "fasta", "native").compared.figure,
        absent("not measured")
    );
    assert!(
        row(&report.time, "fasta", "wasmedge-aot")
            .compared
            .study
            .is_some()
    );
    let tenfold = claim(&report, "wasmer-fasta-tenfold");
    assert_eq!(tenfold.verdict, Verdict::Unanswered);
    assert!(
        tenfold
            .missing
            .contains(&"wasmer-cranelift-jit was not measured".to_owned()),
        "{tenfold:#?}"
    );
    assert_eq!(report.overhead, []);
}

#[test]
fn a_machine_the_study_has_none_like_is_reported_without_comparison() {
    let native = cell("native", "fasta", &["large"], &[(Metric::Wall, 5)]);
    let report = report("riscv64", vec![native]);
    assert_eq!(report.study.platform, None);
    assert!(
        rows(&report.time)
            .all(|(_, row)| row.compared.study.is_none() && row.compared.mark == Mark::NotCompared)
    );
}

#[test]
fn a_containers_cost_is_told_part_by_part_and_its_memory_is_added_up_run_by_run() {
    let mut docker = cell(
        "docker",
        "binarytree",
        &["large"],
        &[(Metric::RssPeak, 128_000_000)],
    );
    for (sample, shim) in docker.samples.iter_mut().zip(1_u64..) {
        let parts = [
            (Metric::ContainerRest, 4_000_000),
            (Metric::ShimRss, shim * 1_000_000),
            (Metric::EngineGrowth, (11 - shim) * 1_000_000),
            (Metric::RuncCpu, 30_000_000),
        ];
        sample.metrics.extend(parts);
    }
    let native = cell(
        "native",
        "binarytree",
        &["large"],
        &[(Metric::RssPeak, 128_800_000), (Metric::CpuTime, 6_000_000)],
    );
    let report = report("x86_64", vec![docker, native]);
    let part = |name: &str| {
        report.overhead[0]
            .parts
            .iter()
            .find(|part| part.part == name)
            .unwrap()
    };
    let beside = part("all memory beside the process");
    assert!(
        matches!(
            beside.compared.figure,
            Figure::Measured {
                p50: 15_000_000,
                n: 10,
                ..
            }
        ),
        "{beside:#?}"
    );
    assert_eq!(
        (beside.compared.mark, beside.compared.study.unwrap().value),
        (Mark::Disagrees, 35.25)
    );
    assert_eq!(part("CPU time of runc").compared.ratio.unwrap().value, 5.0);
    assert_eq!(
        part("CPU time of the shim").compared.figure,
        Figure::Absent("not measured".into())
    );
}
