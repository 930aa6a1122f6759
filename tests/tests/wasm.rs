//! Wasm modules on Wasmtime: compiled in every run and before.

use wbd_model::{Exit, Experiment, InstantName as I, Metric, Sample};
use wbd_tests::Home;
use wbd_tests::documents::{assert_in_order, cell, median, metric, ns, p50};

const BOTH: [&str; 4] = ["-t", "wasmtime-jit", "-t", "wasmtime-aot"];
const ONCE: [&str; 4] = ["-n", "1", "--warmup", "0"];

/// Both ways of running a module of `tests/programs`.
#[track_caller]
fn measured(home: &Home, runs: &str, module: &str, arguments: &[&str]) -> Experiment {
    let module = home.program(module);
    home.measure(&[&BOTH[..], &["-n", runs, "--wasm", &module, "--"], arguments].concat())
}

/// A module that must fail both ways; the two runs.
#[track_caller]
fn fails(home: &Home, module: &str, arguments: &[&str]) -> Vec<Sample> {
    let made = home.fail(&[&BOTH[..], &ONCE, &["--wasm", module, "--"], arguments].concat());
    assert_eq!(made.cells.len(), 2);
    assert!(
        made.cells.iter().all(|cell| (cell.valid, cell.failed) == (0, 1)),
        "{made:#?}"
    );
    made.cells.into_iter().flat_map(|cell| cell.samples).collect()
}

/// Each workload's output is held against its manifest: a wrong one would not count. Needs root.
#[test]
fn workloads_print_the_right_output_both_ways() {
    let home = Home::new();
    let _wbd = home.start();
    let workloads = [
        "-w",
        "fasta",
        "-w",
        "n_body",
        "-w",
        "binarytree",
        "--size",
        "check",
        "-n",
        "2",
    ];
    let made = home.measure(&[&BOTH[..], &workloads].concat());
    assert_eq!(made.cells.len(), 6);
    for cell in &made.cells {
        assert_eq!(cell.valid, 2, "{cell:#?}");
        assert!(p50(cell, Metric::OutputBytes) > 0, "{cell:#?}");
    }
}

/// Needs root.
#[test]
fn what_a_module_prints_is_counted_to_the_byte() {
    let home = Home::new();
    let _wbd = home.start();
    for cell in measured(&home, "1", "flood.wasm", &["1000001"]).cells {
        assert_eq!(p50(&cell, Metric::OutputBytes), 1_000_001, "{}", cell.target);
    }
}

/// Needs root.
#[test]
fn the_engine_is_ready_before_the_module_the_instance_and_the_guest() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&[&BOTH[..], &["-n", "10"]].concat());
    for sample in made.cells.iter().flat_map(|cell| &cell.samples) {
        let before_main = [I::Launch, I::Exec, I::FirstUser, I::Entry, I::EngineReady];
        assert_in_order(sample, &before_main);
        assert_in_order(
            sample,
            &[
                I::EngineReady,
                I::ModuleReady,
                I::InstanceReady,
                I::Guest,
                I::Exit,
            ],
        );
        let startup = metric(sample, Metric::Startup);
        assert_eq!(startup, ns(sample, I::Guest) - ns(sample, I::Launch));
        assert!(
            sample.instants[&I::Guest].method.contains("mark"),
            "{:?}",
            sample.instants[&I::Guest]
        );
    }
}

/// Needs root.
#[test]
fn code_compiled_before_is_ready_sooner() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&[&BOTH[..], &["-w", "binarytree", "--size", "check", "-n", "10"]].concat());
    let loading = |target| {
        let samples = cell(&made, target).samples.iter();
        median(samples.map(|sample| ns(sample, I::ModuleReady) - ns(sample, I::EngineReady)))
    };
    let (jit, aot) = (loading("wasmtime-jit"), loading("wasmtime-aot"));
    assert!(aot * 3 < jit, "compiled before {aot} ns, compiled now {jit} ns");
    let [jit, aot] = ["wasmtime-jit", "wasmtime-aot"].map(|target| p50(cell(&made, target), Metric::Startup));
    assert!(aot < jit, "{aot} {jit}");
}

/// The guest's own time is execution, not startup. Needs root.
#[test]
fn what_the_guest_computes_is_execution() {
    let home = Home::new();
    let _wbd = home.start();
    for cell in measured(&home, "3", "spin.wasm", &["200"]).cells {
        let execution = p50(&cell, Metric::Execution);
        assert!(
            (200_000_000..300_000_000).contains(&execution),
            "{}: {execution}",
            cell.target
        );
    }
}

/// Needs root.
#[test]
fn a_module_of_ones_own_is_named_by_its_file_and_gets_its_arguments() {
    let home = Home::new();
    let _wbd = home.start();
    let made = measured(&home, "2", "exit_code.wasm", &["0"]);
    for cell in &made.cells {
        assert_eq!(
            (cell.workload.as_str(), cell.args.as_slice()),
            ("exit_code", &["0".to_owned()][..])
        );
        assert_eq!(cell.valid, 2);
    }
}

/// Needs root.
#[test]
fn a_modules_exit_code_is_told() {
    let home = Home::new();
    let _wbd = home.start();
    for run in fails(&home, &home.program("exit_code.wasm"), &["42"]) {
        assert_eq!(run.exit, Exit::Code(42), "{run:?}");
        assert!(run.notes[0].contains("code 42"), "{:?}", run.notes);
    }
}

/// Needs root.
#[test]
fn a_trap_is_told_by_its_name() {
    let home = Home::new();
    let _wbd = home.start();
    for run in fails(&home, &home.program("trap.wasm"), &[]) {
        assert!(
            run.notes[0].contains("trap") && run.notes[0].contains("unreachable"),
            "{:?}",
            run.notes
        );
        assert!(
            run.instants.contains_key(&I::Guest),
            "it trapped after the guest began: {run:?}"
        );
    }
}

/// Needs root.
#[test]
fn an_import_that_nobody_offers_is_told_by_its_name() {
    let home = Home::new();
    let _wbd = home.start();
    for run in fails(&home, &home.program("import.wasm"), &[]) {
        assert!(
            run.notes[0].contains("env") && run.notes[0].contains("nowhere"),
            "{:?}",
            run.notes
        );
        assert!(!run.instants.contains_key(&I::Guest), "it has no guest: {run:?}");
    }
}

/// A JIT meets it in the run, which does not count; ahead of time there is no run to make.
///
/// Needs root.
#[test]
fn a_file_that_is_no_module_is_told_with_its_path() {
    let home = Home::new();
    let _wbd = home.start();
    let garbage = home.file("garbage.wasm", "this is no module", 0o644);
    let jit = home.fail(&[&["-t", "wasmtime-jit"], &ONCE[..], &["--wasm", &garbage]].concat());
    assert!(jit.cells[0].samples[0].notes[0].contains(&garbage), "{jit:#?}");
    let aot = home.wbctl(&[&["run", "-t", "wasmtime-aot"], &ONCE[..], &["--wasm", &garbage]].concat());
    aot.expect(4).saying(&[&garbage]);
}

/// A guest gets only what it was given. Needs root.
#[test]
fn a_guest_has_neither_files_nor_variables() {
    let home = Home::new();
    let _wbd = home.start();
    let text = "(module
        (import \"wasi_snapshot_preview1\" \"fd_prestat_get\" (func $prestat (param i32 i32) (result i32)))
        (import \"wasi_snapshot_preview1\" \"environ_sizes_get\" (func $environ (param i32 i32) (result i32)))
        (memory (export \"memory\") 1)
        (func (export \"_start\")
            (if (i32.ne (call $prestat (i32.const 3) (i32.const 0)) (i32.const 8)) (then unreachable))
            (drop (call $environ (i32.const 16) (i32.const 20)))
            (if (i32.load (i32.const 16)) (then unreachable))))";
    let module = home.text("guest.wasm");
    std::fs::write(&module, wat::parse_str(text).unwrap()).unwrap();
    let made = home.measure(&[&BOTH[..], &ONCE, &["--wasm", &module]].concat());
    assert_eq!(made.cells.len(), 2);
}

/// Needs root.
#[test]
fn a_guest_that_never_ends_is_ended_at_the_time_limit() {
    let home = Home::new();
    let _wbd = home.start();
    let module = home.program("spin.wasm");
    let limited = [
        &BOTH[..],
        &ONCE,
        &["--time-limit", "0.5", "--wasm", &module, "--", "100000"],
    ]
    .concat();
    for cell in home.fail(&limited).cells {
        assert!(cell.samples[0].notes[0].contains("0.5 s"), "{cell:#?}");
    }
}
