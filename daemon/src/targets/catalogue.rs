//! The targets by name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use nix::sys::signal::Signal;
use wbd_model::host::{TargetInfo, Unavailable};

use super::assets::Assets;
use super::runners::{Runner, Runners};

/// A way to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program itself; the text is the ending of its file.
    Native(&'static str),
    /// An engine's runner, in a mode.
    Wasm(Wasm),
    /// A container made from the static program alone.
    Container,
}

/// How a Wasm engine is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wasm {
    /// The engine, by the name of its runner.
    pub(crate) engine: &'static str,
    /// When its code is made.
    pub(crate) mode: Mode,
    /// What runs the guest's code.
    pub(crate) backend: Backend,
}

/// When an engine makes machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In every run.
    Jit,
    /// Once, before the runs.
    Aot,
    /// Never: the module is interpreted.
    Interp,
}

impl Mode {
    /// As runners spell it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Jit => "jit",
            Self::Aot => "aot",
            Self::Interp => "interp",
        }
    }

    /// What a cell's figures say of it.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Jit => "code compiled in every run",
            Self::Aot => "code compiled before",
            Self::Interp => "code interpreted",
        }
    }
}

/// What runs a guest's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Cranelift,
    Singlepass,
    Llvm,
    Interpreter,
}

impl Backend {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Cranelift => "cranelift",
            Self::Singlepass => "singlepass",
            Self::Llvm => "llvm",
            Self::Interpreter => "interpreter",
        }
    }
}

/// A named way to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is, in a few words.
    about: &'static str,
    /// How it works.
    pub(crate) kind: Kind,
}

const fn target(name: &'static str, about: &'static str, kind: Kind) -> Target {
    Target { name, about, kind }
}

const fn wasm(
    name: &'static str,
    about: &'static str,
    engine: &'static str,
    mode: Mode,
    backend: Backend,
) -> Target {
    let how = Wasm {
        engine,
        mode,
        backend,
    };
    target(name, about, Kind::Wasm(how))
}

use Backend::{Cranelift, Interpreter, Llvm, Singlepass};
use Mode::{Aot, Interp, Jit};

/// Every target, in the order in which tables show them.
#[rustfmt::skip] // a table
pub(crate) const TARGETS: [Target; 17] = [
    target("native", "the program itself, statically linked", Kind::Native("static")),
    target("native-dynamic", "the program itself, dynamically linked", Kind::Native("dynamic")),
    wasm("wasmtime-jit", "Wasmtime, Cranelift, code compiled in every run", "wasmtime", Jit, Cranelift),
    wasm("wasmtime-aot", "Wasmtime, Cranelift, code compiled before the runs", "wasmtime", Aot, Cranelift),
    wasm("wasmer-cranelift-jit", "Wasmer, Cranelift, code compiled in every run", "wasmer-cranelift", Jit, Cranelift),
    wasm("wasmer-cranelift-aot", "Wasmer, Cranelift, code compiled before the runs", "wasmer-cranelift", Aot, Cranelift),
    wasm("wasmer-singlepass-jit", "Wasmer, Singlepass, code compiled in every run", "wasmer-singlepass", Jit, Singlepass),
    wasm("wasmer-singlepass-aot", "Wasmer, Singlepass, code compiled before the runs", "wasmer-singlepass", Aot, Singlepass),
    wasm("wasmer-llvm-jit", "Wasmer, LLVM, code compiled in every run", "wasmer-llvm", Jit, Llvm),
    wasm("wasmer-llvm-aot", "Wasmer, LLVM, code compiled before the runs", "wasmer-llvm", Aot, Llvm),
    wasm("wasmedge-interp", "WasmEdge, interpreted", "wasmedge", Interp, Interpreter),
    wasm("wasmedge-jit", "WasmEdge, LLVM, code compiled in every run", "wasmedge", Jit, Llvm),
    wasm("wasmedge-aot", "WasmEdge, LLVM, code compiled before the runs", "wasmedge", Aot, Llvm),
    wasm("wasmi", "wasmi, interpreted", "wasmi", Interp, Interpreter),
    wasm("wasm3", "wasm3, interpreted", "wasm3", Interp, Interpreter),
    wasm("wamr-interp", "WebAssembly Micro Runtime, interpreted", "wamr", Interp, Interpreter),
    target("docker", "the static program in a Docker container", Kind::Container),
];

/// What it may mean that a run of this target was ended by `signal`, where its engine does not say it itself.
pub(crate) fn meaning_of_end(target: &str, signal: i32) -> Option<&'static str> {
    let Kind::Wasm(Wasm {
        engine: "wasmedge",
        mode,
        ..
    }) = find(target)?.kind
    else {
        return None;
    };
    match (mode, Signal::try_from(signal).ok()?) {
        (Interp, Signal::SIGABRT) => Some(
            "WasmEdge sets no limit to recursion: where a guest calls itself without end, its interpreter takes all memory \
             there is and ends so",
        ),
        (Jit | Aot, Signal::SIGSEGV) => Some(
            "WasmEdge sets no limit to recursion: a guest that exhausts its stack ends so, and not by a trap",
        ),
        _ => None,
    }
}

/// The target of this name.
pub(crate) fn find(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// A container engine that answers.
#[derive(Clone, Debug)]
pub(crate) struct ContainerEngine {
    /// The versions of its parts.
    pub(crate) version: String,
    /// Where it listens.
    pub(crate) socket: PathBuf,
}

/// What a client is told of each target. `containers` says why they cannot be had, if they cannot.
pub(crate) fn list(
    assets: &Assets,
    runners: &Runners,
    containers: &Result<ContainerEngine, Unavailable>,
) -> Vec<TargetInfo> {
    let engines = ask(assets, runners);
    let info = |target: Target| match target.kind {
        Kind::Native(_) => described(target),
        Kind::Wasm(wasm) => wasm_info(target, wasm, &engines[wasm.engine]),
        Kind::Container => container_info(target, containers),
    };
    TARGETS.into_iter().map(info).collect()
}

type Answers = BTreeMap<&'static str, Result<Arc<Runner>, Unavailable>>;

/// Asks every engine once, all at the same time.
fn ask(assets: &Assets, runners: &Runners) -> Answers {
    let ask = |engine| assets.runner(engine).and_then(|path| runners.get(&path));
    let engines = TARGETS.into_iter().filter_map(|target| match target.kind {
        Kind::Wasm(wasm) => Some(wasm.engine),
        _ => None,
    });
    std::thread::scope(|scope| {
        let asked: BTreeMap<_, _> = engines
            .map(|engine| (engine, scope.spawn(move || ask(engine))))
            .collect();
        let answers = asked.into_iter().map(|(engine, answer)| {
            let answer = answer.join();
            (
                engine,
                answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        });
        answers.collect()
    })
}

fn described(target: Target) -> TargetInfo {
    TargetInfo {
        name: target.name.into(),
        about: target.about.into(),
        ..TargetInfo::default()
    }
}

fn wasm_info(target: Target, wasm: Wasm, runner: &Result<Arc<Runner>, Unavailable>) -> TargetInfo {
    let known = runner.as_ref().ok();
    TargetInfo {
        engine: Some(wasm.engine.into()),
        mode: Some(wasm.mode.as_str().into()),
        backend: Some(wasm.backend.as_str().into()),
        version: known.map(|runner| runner.version.clone()),
        from: known.map(|runner| runner.path.display().to_string()),
        bytes: known.map(|runner| runner.bytes),
        unavailable: runner.as_ref().err().cloned(),
        ..described(target)
    }
}

fn container_info(target: Target, containers: &Result<ContainerEngine, Unavailable>) -> TargetInfo {
    let known = containers.as_ref().ok();
    TargetInfo {
        version: known.map(|engine| engine.version.clone()),
        from: known.map(|engine| engine.socket.display().to_string()),
        unavailable: containers.as_ref().err().cloned(),
        ..described(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that others script against.
    const CONTRACT: &str = "native docker wasmtime-jit wasmtime-aot wasmer-cranelift-jit wasmer-cranelift-aot \
        wasmer-singlepass-jit wasmer-singlepass-aot wasmer-llvm-jit wasmer-llvm-aot wasmedge-interp wasmedge-jit \
        wasmedge-aot wasmi wasm3 wamr-interp";

    #[test]
    fn every_target_of_the_contract_is_there_once() {
        for name in CONTRACT.split_whitespace() {
            assert_eq!(
                TARGETS.iter().filter(|target| target.name == name).count(),
                1,
                "{name}"
            );
        }
        assert_eq!(CONTRACT.split_whitespace().count() + 1, TARGETS.len());
    }

    #[test]
    fn a_name_says_engine_and_mode_and_interpreters_interpret() {
        for target in TARGETS {
            let Kind::Wasm(Wasm {
                engine,
                mode,
                backend,
            }) = target.kind
            else {
                continue;
            };
            assert!(target.name.starts_with(engine), "{target:?}");
            let said = target.name.strip_prefix(engine).unwrap().trim_start_matches('-');
            assert!(
                said == mode.as_str() || said.is_empty() && mode == Interp,
                "{target:?}"
            );
            assert_eq!(mode == Interp, backend == Interpreter, "{target:?}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_listed_with_the_reason() {
        let nowhere = tempfile::tempdir().unwrap();
        let assets = Assets {
            runners: nowhere.path().to_owned(),
            workloads: nowhere.path().to_owned(),
        };
        let silent = Unavailable {
            why: "nobody listens".into(),
            mend: "start it".into(),
        };
        let listed = list(&assets, &Runners::default(), &Err(silent));
        assert_eq!(listed.len(), TARGETS.len());
        for info in listed {
            let native = info.name.starts_with("native");
            assert_eq!(info.unavailable.is_none(), native, "{info:?}");
            assert_eq!((&info.version, &info.from, info.bytes), (&None, &None, None));
        }
    }
}
