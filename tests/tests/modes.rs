//! The mode asked for is the mode that ran: told by what a process does, not by what it says of itself.

use std::fs;
use std::process::Command;

use wbd_model::host::TargetInfo;
use wbd_model::{InstantName as I, Metric};
use wbd_tests::documents::{cell, median, ns};
use wbd_tests::{Home, process, targets, wait};

/// Runs that load their code from a file the kernel can map. The others copy it into memory of their own, which
/// looks like a compiler's.
const MAPPED: [&str; 2] = ["wasmtime-aot", "wasmedge-aot"];

/// Times an interpreter takes longer than code compiled ahead, at the least.
const INTERPRETERS_PRICE: u64 = 3;
/// Times compiling takes longer than loading what was compiled, at the least.
const COMPILERS_PRICE: u64 = 2;

/// Needs root.
#[test]
fn interpreters_are_many_times_slower_than_optimised_code_and_no_optimiser_is() {
    let home = Home::new();
    let _wbd = home.start();
    let all = targets::wasm(&home);
    let small = ["-w", "spectralnorm", "--size", "small", "-n", "5"];
    let made = home.measure(&[&targets::flags(&all)[..], &small].concat());
    // The fastest of each: what else the machine does only ever adds.
    let execution = |name: &str| cell(&made, name).metrics[&Metric::Execution].min;
    let yardstick = execution("wasmtime-aot");
    // Singlepass compiles without optimising: here it is as slow as an interpreter.
    for target in all
        .iter()
        .filter(|target| target.backend.as_deref() != Some("singlepass"))
    {
        let (slow, takes) = (yardstick * INTERPRETERS_PRICE, execution(&target.name));
        let interprets = target.mode.as_deref() == Some("interp");
        assert_eq!(
            takes > slow,
            interprets,
            "{}: {takes} ns, wasmtime-aot {yardstick} ns",
            target.name
        );
    }
}

/// A compiler in the run leaves machine code in memory that no file backs; an interpreter makes none.
///
/// Needs root.
#[test]
fn only_a_jit_makes_machine_code_in_memory() {
    let home = Home::with_dist_for_everyone();
    let _wbd = home.start();
    for target in targets::wasm(&home) {
        let made = has_code_of_its_own(&home, &target);
        match target.mode.as_deref() {
            Some("jit") => assert!(made, "{} compiled nothing", target.name),
            Some("interp") => assert!(!made, "{} compiled", target.name),
            _ if MAPPED.contains(&&*target.name) => assert!(!made, "{} compiled", target.name),
            _ => {}
        }
    }
}

/// Whether memory without a file is executable in a process of `target` whose guest runs.
#[track_caller]
fn has_code_of_its_own(home: &Home, target: &TargetInfo) -> bool {
    let module = home.program("linger.wasm");
    let given = home.text("given");
    fs::create_dir_all(&given).unwrap();
    let ready = home.path("given/ready");
    let _ = fs::remove_file(&ready); // of the target before
    let once = [
        "run",
        "-t",
        &target.name,
        "-n",
        "1",
        "--warmup",
        "0",
        "--time-limit",
        "60",
    ];
    let running = home.begin(
        &[
            &once[..],
            &[
                "--wasm",
                &module,
                "--dir",
                &format!("{given}::/given"),
                "--",
                "/given/ready",
            ],
        ]
        .concat(),
    );
    wait::until(&format!("the guest of {} runs", target.name), || ready.exists());
    let found = process::has_code_without_a_file(home.target());
    drop(running);
    wait::until("the run is ended", || home.processes().is_empty());
    found
}

/// Needs root.
#[test]
fn code_compiled_before_is_loaded_and_not_compiled() {
    let home = Home::new();
    let _wbd = home.start();
    let all = targets::wasm(&home);
    let line = ["-w", "binarytree", "--size", "check", "-n", "10"];
    let made = home.measure(&[&targets::flags(&all)[..], &line].concat());
    let loading = |name: &str| {
        let samples = cell(&made, name).samples.iter();
        median(samples.map(|sample| ns(sample, I::ModuleReady) - ns(sample, I::EngineReady)))
    };
    for aot in all.iter().filter(|target| target.mode.as_deref() == Some("aot")) {
        let jit = aot.name.replace("-aot", "-jit");
        let [before, now] = [&aot.name, &jit].map(|name| loading(name));
        assert!(
            before * COMPILERS_PRICE < now,
            "{}: {before} ns, {jit}: {now} ns",
            aot.name
        );
    }
}

/// Not even of another of Wasmer's compilers, whose format does not tell. Needs root.
#[test]
fn no_engine_runs_what_another_compiled() {
    let home = Home::new();
    let _wbd = home.start();
    let module = home.program("exit_code.wasm");
    let engines: Vec<String> = targets::of_mode(&home, "aot")
        .iter()
        .map(|target| target.name.trim_end_matches("-aot").to_owned())
        .collect();
    for maker in &engines {
        let code = home.text(&format!("{maker}.code"));
        let made = Command::new(home.runner(maker))
            .args(["compile", &module])
            .output()
            .unwrap();
        fs::write(&code, made.stdout).unwrap();
        for engine in &engines {
            let mut run = Command::new(home.runner(engine));
            let output = run
                .args(["run", "--mode", "aot", &code, "--", "0"])
                .output()
                .unwrap();
            let (status, said) = (output.status.code(), String::from_utf8_lossy(&output.stderr));
            if engine == maker {
                assert_eq!(status, Some(0), "{engine}: {said}");
            } else {
                assert_eq!(status, Some(125), "{engine}, of {maker}'s: {said}");
                assert_eq!(said.lines().count(), 1, "{said}");
                assert!(said.contains("compile"), "it says what to do: {said}");
            }
        }
    }
}
