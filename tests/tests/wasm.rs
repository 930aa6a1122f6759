//! Wasm modules on every engine that is built, in each of its modes.

use std::fs;

use wbd_model::{Exit, Experiment, InstantName as I, Metric, Sample, Size};
use wbd_tests::documents::{assert_in_order, cell, median, metric, ns, p50};
use wbd_tests::{Home, targets};

const BOTH: [&str; 4] = ["-t", "wasmtime-jit", "-t", "wasmtime-aot"];
const ONCE: [&str; 4] = ["-n", "1", "--warmup", "0"];

/// A module of `tests/programs` on every target there is.
#[track_caller]
fn measured(home: &Home, runs: &str, module: &str, arguments: &[&str]) -> Experiment {
    let module = home.program(module);
    let all = targets::wasm(home);
    let line = ["-n", runs, "--wasm", &module, "--"];
    let made = home.measure(&[&targets::flags(&all)[..], &line, arguments].concat());
    assert_eq!(made.cells.len(), all.len());
    made
}

/// A module that must fail on every target; the runs.
#[track_caller]
fn fails(home: &Home, module: &str, arguments: &[&str]) -> Vec<Sample> {
    let all = targets::wasm(home);
    let line = [&targets::flags(&all)[..], &ONCE, &["--wasm", module, "--"]].concat();
    let made = home.fail(&[&line[..], arguments].concat());
    assert_eq!(made.cells.len(), all.len());
    assert!(
        made.cells.iter().all(|cell| (cell.valid, cell.failed) == (0, 1)),
        "{made:#?}"
    );
    made.cells.into_iter().flat_map(|cell| cell.samples).collect()
}

/// Each workload's output is held against its manifest: a wrong one would not count. Needs root.
#[test]
fn workloads_print_the_right_output_on_every_target() {
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
    let all = targets::wasm(&home);
    let made = home.measure(&[&targets::flags(&all)[..], &workloads].concat());
    assert_eq!(made.cells.len(), 3 * all.len());
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
    let all = targets::wasm(&home);
    let made = home.measure(&[&targets::flags(&all)[..], &["-n", "10"]].concat());
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

/// A JIT and an interpreter meet it in the run, which does not count; ahead of time there is no run to make.
///
/// Needs root.
#[test]
fn a_file_that_is_no_module_is_told_with_its_path() {
    let home = Home::new();
    let _wbd = home.start();
    let garbage = home.file("garbage.wasm", "this is no module", 0o644);
    for mode in ["jit", "interp"] {
        let all = targets::of_mode(&home, mode);
        if all.is_empty() {
            continue; // no engine of this mode is built, which `of_mode` has told
        }
        let made = home.fail(&[&targets::flags(&all)[..], &ONCE, &["--wasm", &garbage]].concat());
        for cell in &made.cells {
            assert!(cell.samples[0].notes[0].contains(&garbage), "{cell:#?}");
        }
    }
    let all = targets::of_mode(&home, "aot");
    let aot = home.wbctl(&[&["run"], &targets::flags(&all)[..], &ONCE, &["--wasm", &garbage]].concat());
    let names: Vec<&str> = all.iter().map(|target| target.name.as_str()).collect();
    aot.expect(4).saying(&names).saying(&[&garbage]);
}

/// What a compiler makes for the WASI after preview 1. Needs root.
#[test]
fn a_component_is_told_in_each_cell() {
    let home = Home::new();
    let _wbd = home.start();
    let component = home.text("component.wasm");
    fs::write(&component, wat::parse_str("(component)").unwrap()).unwrap();
    let of_mode = |mode| [targets::of_mode(&home, mode), targets::of_mode(&home, "interp")].concat();
    let made = home.fail(
        &[
            &targets::flags(&of_mode("jit"))[..],
            &ONCE,
            &["--wasm", &component],
        ]
        .concat(),
    );
    for cell in &made.cells {
        let note = &cell.samples[0].notes[0];
        assert!(note.contains("component"), "{}: {note}", cell.target);
    }
    let aot = targets::of_mode(&home, "aot");
    let refused = home.wbctl(
        &[
            &["run"],
            &targets::flags(&aot)[..],
            &ONCE,
            &["--wasm", &component],
        ]
        .concat(),
    );
    refused.expect(4).saying(&["component"]);
}

/// Each is ended by the kernel and says so, the engine's own memory included. Needs root.
#[test]
fn a_guest_that_needs_more_memory_than_it_may_have_is_ended_under_every_engine() {
    let home = Home::new();
    let _wbd = home.start();
    let module = home.text("grows.wasm");
    fs::write(&module, wat::parse_str(GROWS).unwrap()).unwrap();
    let all = targets::wasm(&home);
    let limited = ["--memory-limit", "256", "--wasm", &module];
    let made = home.fail(&[&targets::flags(&all)[..], &ONCE, &limited].concat());
    for cell in &made.cells {
        let notes = &cell.samples[0].notes;
        assert_eq!(cell.valid, 0, "{}", cell.target);
        assert!(
            notes.iter().any(|note| note.contains("256")),
            "{}: {notes:?}",
            cell.target
        );
    }
}

/// Calls itself without end, and counts the returns, lest a compiler make a loop of it.
const OVERFLOWS: &str = r#"(module
    (memory (export "memory") 1)
    (global $returns (mut i32) (i32.const 0))
    (func $f (export "_start")
        (call $f)
        (global.set $returns (i32.add (global.get $returns) (i32.const 1)))))"#;

/// By a trap with a line; or what the end means under the engine that sets no limit, within the memory it may have.
/// Needs root.
#[test]
fn a_guest_that_exhausts_its_stack_is_told_under_every_engine() {
    let home = Home::new();
    let _wbd = home.start();
    let module = home.text("overflows.wasm");
    fs::write(&module, wat::parse_str(OVERFLOWS).unwrap()).unwrap();
    let all = targets::wasm(&home);
    let limited = ["--memory-limit", "512", "--wasm", &module];
    let made = home.fail(&[&targets::flags(&all)[..], &ONCE, &limited].concat());
    for cell in &made.cells {
        let run = &cell.samples[0];
        let said = run.notes.join("; ");
        assert!(!run.valid && run.instants.contains_key(&I::Guest), "{run:#?}");
        let told = ["trap", "512 MiB of memory", "sets no limit to recursion"]
            .iter()
            .any(|words| said.contains(words));
        assert!(told, "{}: {said}", cell.target);
    }
}

/// Takes a GiB, as far as it gets it, and writes to every page of it.
const GROWS: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "_start") (local $at i32)
        (if (i32.eq (memory.grow (i32.const 16383)) (i32.const -1)) (then unreachable))
        (loop $next
            (i32.store (local.get $at) (i32.const 1))
            (local.set $at (i32.add (local.get $at) (i32.const 4096)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 0x3ffff000))))))"#;

/// A guest gets only what it was given. Needs root.
#[test]
fn a_guest_has_neither_files_nor_variables() {
    let home = Home::new();
    let _wbd = home.start();
    let text = "(module
        (import \"wasi_snapshot_preview1\" \"environ_sizes_get\" (func $environ (param i32 i32) (result i32)))
        (memory (export \"memory\") 1)
        (func (export \"_start\")
            (drop (call $environ (i32.const 16) (i32.const 20)))
            (if (i32.load (i32.const 16)) (then unreachable))))";
    let module = home.text("guest.wasm");
    fs::write(&module, wat::parse_str(text).unwrap()).unwrap();
    let all = targets::wasm(&home);
    home.measure(&[&targets::flags(&all)[..], &ONCE, &["--wasm", &module]].concat());
    let (module, file) = (
        home.program("open_file.wasm"),
        home.file("file", "content", 0o644),
    );
    for run in fails(&home, &module, &[&file, "r"]) {
        assert_eq!(run.exit, Exit::Code(1), "{run:?}");
    }
}

/// Needs root.
#[test]
fn a_guest_gets_the_directories_and_variables_it_was_given() {
    let home = Home::new();
    let _wbd = home.start();
    let module = home.program("open_file.wasm");
    fs::create_dir(home.path("data")).unwrap();
    let _file = home.file("data/file", "content", 0o644);
    let all = targets::wasm(&home);
    let given = ["--dir", "data::/given", "--env", "A=b=c", "--wasm", &module];
    let asked = ["--", "/given/file", "r", "A", "b=c"];
    home.measure(&[&targets::flags(&all)[..], &ONCE, &given, &asked].concat());
    // Without them it fails: what passed above could have failed.
    fails(&home, &module, &asked[1..]);
}

/// One that is refused, or not built, is told in its own cell, and the others run. Needs root.
#[test]
fn a_module_goes_to_every_target_at_once_and_one_that_cannot_run_it_stops_no_other() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    let wasmi = home.file(
        "dist/lib/wbd/wbd-runner-wasmi",
        "#!/bin/sh\necho out of order >&2; exit 3\n",
        0o755,
    );
    let module = home.program("exit_code.wasm");
    let line = [
        "--json", "run", "-n", "1", "--warmup", "0", "--wasm", &module, "--", "0",
    ];
    let made: Experiment = home.wbctl(&line).expect(0).json();
    assert_eq!(
        made.cells.len(),
        14,
        "every target of the contract that runs Wasm"
    );
    let broken = cell(&made, "wasmi");
    let why = &broken.unavailable[&Metric::Startup];
    assert_eq!((broken.valid, broken.failed), (0, 0));
    assert!(why.contains(&wasmi) && why.contains("out of order"), "{why}");
    for name in ["wasmtime-jit", "wasmtime-aot"] {
        assert_eq!(cell(&made, name).valid, 1, "{made:#?}");
    }
}

/// Its cells are run at the size that suits them, and told with it. Needs root.
#[test]
fn a_suite_compares_size_with_size() {
    let home = Home::new();
    let _wbd = home.start();
    let line = [
        "--json",
        "run",
        "--suite",
        "seed",
        "-w",
        "fannkuchredux",
        "-n",
        "1",
        "--warmup",
        "0",
    ];
    let made: Experiment = home.wbctl(&line).expect(0).json();
    assert_eq!(made.cells.len(), 17);
    let natives: Vec<_> = made.cells.iter().filter(|cell| cell.target == "native").collect();
    let sizes: Vec<_> = natives
        .iter()
        .map(|cell| (cell.size, cell.args[0].as_str()))
        .collect();
    assert_eq!(sizes, [(Some(Size::Quick), "10"), (Some(Size::Small), "9")]);
    let interpreted = &cell(&made, "wasmi");
    assert_eq!(
        (interpreted.size, &interpreted.args),
        (Some(Size::Small), &natives[1].args)
    );
    assert!(natives.iter().all(|cell| cell.valid == 1), "{made:#?}");
    let [static_program, module] = [natives[0], cell(&made, "wasmtime-jit")].map(|cell| cell.disk.unwrap());
    assert!(static_program.program > 0 && static_program.engine.is_none());
    assert!(module.program > 0 && module.engine.is_some_and(|bytes| bytes > module.program));
}

/// Needs root.
#[test]
fn a_guest_that_never_ends_is_ended_at_the_time_limit() {
    let home = Home::new();
    let _wbd = home.start();
    let module = home.program("spin.wasm");
    let all = targets::wasm(&home);
    let limited = [
        &targets::flags(&all)[..],
        &ONCE,
        &["--time-limit", "0.5", "--wasm", &module, "--", "100000"],
    ]
    .concat();
    for cell in home.fail(&limited).cells {
        assert!(cell.samples[0].notes[0].contains("0.5 s"), "{cell:#?}");
    }
}
