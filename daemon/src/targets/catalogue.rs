//! The targets by name.

use std::process::Command;

use wbd_model::host::{TargetInfo, Unavailable};

use super::assets::Assets;

/// A way to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program itself; the text is the ending of its file.
    Native(&'static str),
    /// An engine's runner, in a mode.
    Wasm {
        /// The engine, by the name of its runner.
        engine: &'static str,
        /// When its code is made.
        mode: Mode,
    },
    /// A container made from the static program alone.
    Container,
}

/// When an engine makes machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In every run.
    Jit,
    /// Once, before the runs.
    Aot,
}

impl Mode {
    /// As runners spell it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Jit => "jit",
            Self::Aot => "aot",
        }
    }
}

/// A named way to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is, in a few words.
    pub(crate) about: &'static str,
    /// How it works.
    pub(crate) kind: Kind,
}

/// Every target, in the order in which tables show them.
pub(crate) const TARGETS: [Target; 5] = [
    Target {
        name: "native",
        about: "the program itself, statically linked",
        kind: Kind::Native("static"),
    },
    Target {
        name: "native-dynamic",
        about: "the program itself, dynamically linked",
        kind: Kind::Native("dynamic"),
    },
    Target {
        name: "wasmtime-jit",
        about: "Wasmtime, Cranelift, code compiled in every run",
        kind: Kind::Wasm {
            engine: "wasmtime",
            mode: Mode::Jit,
        },
    },
    Target {
        name: "wasmtime-aot",
        about: "Wasmtime, Cranelift, code compiled before the runs",
        kind: Kind::Wasm {
            engine: "wasmtime",
            mode: Mode::Aot,
        },
    },
    Target {
        name: "docker",
        about: "the static program in a Docker container",
        kind: Kind::Container,
    },
];

/// The target of this name.
pub(crate) fn find(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// What a client is told of each target. `engine` says why containers cannot be had, if they cannot.
pub(crate) fn list(assets: &Assets, container_engine: &Result<String, Unavailable>) -> Vec<TargetInfo> {
    TARGETS
        .into_iter()
        .map(|target| info(target, assets, container_engine))
        .collect()
}

fn info(target: Target, assets: &Assets, container_engine: &Result<String, Unavailable>) -> TargetInfo {
    let (version, unavailable) = match target.kind {
        Kind::Native(_) => (None, None),
        Kind::Wasm { engine, .. } => match assets.runner(engine) {
            Ok(runner) => (version_of(&runner), None),
            Err(why) => (None, Some(why)),
        },
        Kind::Container => match container_engine {
            Ok(version) => (Some(version.clone()), None),
            Err(why) => (None, Some(why.clone())),
        },
    };
    TargetInfo {
        name: target.name.into(),
        about: target.about.into(),
        version,
        unavailable,
    }
}

fn version_of(runner: &std::path::Path) -> Option<String> {
    let output = Command::new(runner).arg("version").env_clear().output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
