//! Whose code a function is: by the file it is in, and in an engine's file by the crate or namespace it is of.
//!
//! A name is what its programmers chose: an engine that compiles in functions which are called otherwise has them
//! counted as its own, not as its compiler's.

use std::path::Path;

use wbd_linux::symbols::{Function, Origin};
use wbd_model::profile::Layer;

/// Programs and libraries of Wasm engines, by the beginning of their file names up to a `-`, `_`, `.` or the end.
const ENGINES: [&str; 11] = [
    "wbd-runner",
    "wasmtime",
    "libwasmtime",
    "wasmer",
    "libwasmer",
    "wasmedge",
    "libwasmedge",
    "wasmi",
    "wasm3",
    "iwasm",
    "libiwasm",
];
/// Libraries that are nothing but compilers.
const COMPILER_LIBRARIES: [&str; 2] = ["libLLVM", "liblld"];
/// Crates, modules and namespaces that turn Wasm into code, reading and validating it on the way.
const COMPILERS: [&str; 20] = [
    "cranelift",
    "wasmtime_cranelift",
    "wasmtime_internal_cranelift",
    "wasmtime_internal_winch",
    "wasmtime::compile",
    "wasmtime_environ::compile",
    "winch",
    "regalloc2",
    "pulley_interpreter::encode",
    "wasmparser",
    "wasmer_compiler_cranelift",
    "wasmer_compiler_singlepass",
    "wasmer_compiler_llvm",
    "wasmer_compiler::translator",
    "dynasmrt",
    "inkwell",
    "llvm",
    "LLVM",
    "wasmi::engine::translator",
    "WasmEdge::LLVM",
];
/// Crates of containers and threads, whose functions are made for whoever uses them.
const GENERIC: [&str; 9] = [
    "core",
    "alloc",
    "std",
    "hashbrown",
    "smallvec",
    "indexmap",
    "rayon",
    "rayon_core",
    "crossbeam_epoch",
];

/// Whether a file is a Wasm engine's program or library.
pub(super) fn is_engines(path: &Path) -> bool {
    let name = file_name(path);
    ENGINES.iter().any(|engine| begins_with_word(&name, engine))
}

/// Of a function in a file; without a function, of the file's code.
pub(super) fn of_file(path: &Path, function: Option<&Function>, of_engine: bool) -> Layer {
    match function {
        Some(Function { origin, .. }) if *origin != Origin::File => compiled(*origin),
        _ if is_engines(path) => in_engine(function),
        _ if is_compiler_library(path) && of_engine => Layer::Compiler,
        _ if is_library(path) => Layer::Library,
        _ => Layer::Program,
    }
}

/// Of code that an engine compiled.
pub(super) fn compiled(origin: Origin) -> Layer {
    match origin {
        Origin::Guest => Layer::Guest,
        Origin::Trampoline | Origin::File => Layer::Engine,
    }
}

fn in_engine(function: Option<&Function>) -> Layer {
    match function {
        Some(function) if is_compilers(&function.name) => Layer::Compiler,
        _ => Layer::Engine,
    }
}

fn is_compilers(name: &str) -> bool {
    let path = name.trim_start_matches(['<', '&', '*', '(', '[']);
    let path = path.trim_start_matches("mut ").trim_start_matches("dyn ");
    if COMPILERS.iter().any(|compiler| path.starts_with(compiler)) {
        return true;
    }
    // LLVM is the only part of an engine that is in C++ and works on `llvm::` things.
    let generic = path
        .split_once("::")
        .is_some_and(|(first, _)| GENERIC.contains(&first));
    name.contains("llvm::") || (generic && COMPILERS.iter().any(|compiler| name.contains(compiler)))
}

fn is_compiler_library(path: &Path) -> bool {
    let name = file_name(path);
    COMPILER_LIBRARIES
        .iter()
        .any(|library| begins_with_word(&name, library))
}

/// Shared objects, and the kernel's own, `[vdso]`.
fn is_library(path: &Path) -> bool {
    let name = file_name(path);
    name.ends_with(".so") || name.contains(".so.") || name == "[vdso]"
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn begins_with_word(name: &str, word: &str) -> bool {
    let rest = name.strip_prefix(word);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(path: &str, name: &str) -> Layer {
        let function = Function {
            name: name.to_owned(),
            origin: Origin::File,
        };
        of_file(Path::new(path), Some(&function), true)
    }

    #[test]
    fn an_engines_compiler_is_told_from_the_engine() {
        let runner = "/opt/lib/wbd/wbd-runner-wasmtime";
        for compiler in [
            "cranelift_codegen::machinst::compile::compile",
            "<cranelift_codegen::isa::x64::X64Backend as cranelift_codegen::isa::TargetIsa>::compile_function",
            "regalloc2::ion::run",
            "core::slice::sort::stable::driftsort_main::<regalloc2::ion::data_structures::LiveRange>",
            "llvm::SelectionDAG::Combine(llvm::CombineLevel)",
            "wasmparser::validator::Validator::payload",
        ] {
            assert_eq!(layer(runner, compiler), Layer::Compiler, "{compiler}");
        }
        for engine in [
            "wasmtime::runtime::vm::instance::Instance::new",
            "<wasmtime_wasi::p1::WasiP1Ctx as wasi_snapshot_preview1::WasiSnapshotPreview1>::fd_write",
            "std::io::Write::write_all",
            "memcpy",
        ] {
            assert_eq!(layer(runner, engine), Layer::Engine, "{engine}");
        }
    }

    #[test]
    fn files_are_told_apart() {
        assert_eq!(layer("/usr/bin/wasmtime", "main"), Layer::Engine);
        assert_eq!(layer("/opt/libwasmedge.so.0.1.1", "x"), Layer::Engine);
        assert_eq!(layer("/opt/libLLVM.so.21.1", "x"), Layer::Compiler);
        assert_eq!(layer("/home/me/wasm3000", "main"), Layer::Program);
        assert_eq!(layer("/lib/x86_64-linux-gnu/libc.so.6", "write"), Layer::Library);
        assert_eq!(layer("[vdso]", "x"), Layer::Library);
    }
}
