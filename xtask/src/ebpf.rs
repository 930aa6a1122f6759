//! `cargo xtask ebpf`: rebuilds the kernel objects, or proves that the committed ones come from their sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::bpf_linker;
use crate::dist::{list, read};
use crate::fingerprint::{self, Digest, MANIFEST, Manifest, OBJECTS, Object};
use crate::pinned::Pinned;
use crate::progress;
use crate::shell;
use crate::toolchain::Toolchain;
use crate::tree::Tree;

const TARGET: &str = "bpfel-unknown-none";

/// What to do with the objects.
#[derive(Args)]
pub(crate) struct Options {
    /// Rebuild from nothing and compare with the committed objects, byte for byte
    #[arg(long)]
    check: bool,
}

/// Builds, then writes or compares.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<()> {
    let tools = Tools {
        toolchain: Toolchain::find()?,
        linker: bpf_linker::find_or_install(tree)?,
    };
    if options.check {
        check(tree, &tools)
    } else {
        write(tree, &tools)
    }
}

struct Tools {
    toolchain: Toolchain,
    linker: PathBuf,
}

fn write(tree: &Tree, tools: &Tools) -> Result<()> {
    let built = build(tree, tools, &tree.target.join("ebpf"))?;
    let digest = |(object, content): &(Object, Vec<u8>)| {
        let digest = Digest::of_content(content).to_string();
        (object.file.to_owned(), digest)
    };
    let manifest = Manifest {
        sources: fingerprint::sources(&tree.root)?.to_string(),
        objects: built.iter().map(digest).collect(),
        rustc: tools.toolchain.version()?,
        bpf_linker: bpf_linker::version(&tools.linker)?,
    };
    let text = format!(
        "# Written by `cargo xtask ebpf`; a test compares it with the files.\n{}",
        toml::to_string(&manifest)?
    );
    for (object, content) in built {
        save(&tree.root.join(object.file), &content)?;
        progress::line(format!("wrote {} ({} bytes)", object.file, content.len()));
    }
    save(&tree.root.join(MANIFEST), text.as_bytes())
}

fn check(tree: &Tree, tools: &Tools) -> Result<()> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let rebuilt = build(tree, tools, scratch.path())?;
    let recorded = fingerprint::manifest(&tree.root)?;
    let (rustc, linker) = (tools.toolchain.version()?, bpf_linker::version(&tools.linker)?);
    for (object, content) in rebuilt {
        let file = object.file;
        ensure!(
            content == read(&tree.root.join(file))?,
            "{file} is not what its sources give.\n  \
             recorded: {}, {}\n  here:     {rustc}, {linker}\n\
             If the tools are the same, a source has changed: run `cargo xtask ebpf` and commit what it writes.",
            recorded.rustc,
            recorded.bpf_linker,
        );
        progress::line(format!("{file} is byte for byte what its sources give"));
    }
    Ok(())
}

/// Compiles in `target`; returns the objects.
fn build(tree: &Tree, tools: &Tools, target: &Path) -> Result<Vec<(Object, Vec<u8>)>> {
    let pinned = Pinned::new(&tree.root)?;
    let flags = path_flags(&[&tree.root, pinned.path()], &tools.toolchain)?;
    let mut cargo = tools.toolchain.cargo();
    cargo
        .current_dir(tree.root.join("ebpf"))
        .args(["build", "--release", "--locked", "-Zbuild-std=core"]);
    cargo
        .arg("--manifest-path")
        .arg(pinned.path().join("ebpf/Cargo.toml"));
    cargo.args(["--target", TARGET]).arg("--target-dir").arg(target);
    cargo
        .arg("--config")
        .arg(format!("target.{TARGET}.rustflags={flags:?}"));
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    shell::run(cargo.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &tools.linker))?;
    let folder = target.join(TARGET).join("release");
    let objects = OBJECTS.into_iter();
    objects
        .map(|object| {
            let content = read(&folder.join(object.binary))?;
            Ok((object, content))
        })
        .collect()
}

/// Debug info and BTF name source files. Their places on this machine are replaced, so that the object is the same
/// wherever it is built.
fn path_flags(roots: &[&Path], toolchain: &Toolchain) -> Result<Vec<String>> {
    let mut places: Vec<(PathBuf, &str)> = roots.iter().map(|root| (root.to_path_buf(), "wbd")).collect();
    places.extend(toolchain.library_source().map(|source| (source, "rust")));
    let registries = cargo_home()?.join("registry/src");
    if registries.is_dir() {
        places.extend(
            list(&registries)?
                .into_iter()
                .map(|registry| (registry, "crates")),
        );
    }
    Ok(places
        .iter()
        .map(|(place, name)| format!("--remap-path-prefix={}={name}", place.display()))
        .collect())
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(PathBuf::from(home));
    }
    let home = std::env::var_os("HOME")
        .context("neither CARGO_HOME nor HOME is set: cargo's home cannot be found")?;
    Ok(PathBuf::from(home).join(".cargo"))
}

fn save(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
