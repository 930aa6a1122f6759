//! The workloads by name, from their manifests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use wbd_model::host::{Unavailable, WorkloadInfo};
use wbd_model::{Manifest, Size};

use super::assets::Assets;

/// Why a workload cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkloadError {
    /// There is none of this name.
    #[error("no workload is called `{name}`; there are: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// Those that are there.
        known: String,
    },
    /// Its manifest cannot be read.
    #[error("{path}: {why}; rebuild the workloads with: cargo xtask build")]
    Manifest {
        /// The manifest.
        path: String,
        /// Why.
        why: String,
    },
}

/// Names of the workloads that are there.
pub(crate) fn names(assets: &Assets) -> Vec<String> {
    let Ok(entries) = fs::read_dir(&assets.workloads) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("workload.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    names
}

/// The manifests of all workloads that have one that can be read.
pub(crate) fn manifests(assets: &Assets) -> BTreeMap<String, Manifest> {
    let read = |name: String| Some((name.clone(), manifest(assets, &name).ok()?));
    names(assets).into_iter().filter_map(read).collect()
}

/// The manifest of a workload, or of a variant of one, and the name of the program that does it.
pub(crate) fn find(assets: &Assets, name: &str) -> Result<(String, Manifest), WorkloadError> {
    let known = names(assets);
    if known.iter().any(|known| known == name) {
        return Ok((name.to_owned(), manifest(assets, name)?));
    }
    let unknown = || WorkloadError::Unknown {
        name: name.to_owned(),
        known: known.join(", "),
    };
    let (program, variant) = name.rsplit_once('-').ok_or_else(unknown)?;
    if !known.iter().any(|known| known == program) {
        return Err(unknown());
    }
    let manifest = manifest(assets, program)?.variant(variant);
    Ok((program.to_owned(), manifest.ok_or_else(unknown)?))
}

/// The manifest of a workload that is there.
fn manifest(assets: &Assets, name: &str) -> Result<Manifest, WorkloadError> {
    read(&assets.workloads.join(name).join("workload.toml"))
}

fn read(path: &Path) -> Result<Manifest, WorkloadError> {
    let fail = |why: String| WorkloadError::Manifest {
        path: path.display().to_string(),
        why,
    };
    let text = fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    toml::from_str(&text).map_err(|error| fail(error.message().to_owned()))
}

/// What a client is told of each workload.
pub(crate) fn list(assets: &Assets) -> Vec<WorkloadInfo> {
    names(assets).into_iter().map(|name| info(assets, name)).collect()
}

fn info(assets: &Assets, name: String) -> WorkloadInfo {
    match manifest(assets, &name) {
        Ok(manifest) => WorkloadInfo {
            about: manifest.about.clone(),
            variants: variants(&name, &manifest),
            small: args(&manifest, Size::Small),
            quick: args(&manifest, Size::Quick),
            seed: args(&manifest, Size::Seed),
            bytes: bytes(assets, &name),
            unavailable: ["static", "wasm"]
                .iter()
                .find_map(|kind| assets.program(&name, kind).err()),
            name,
        },
        Err(error) => WorkloadInfo {
            unavailable: Some(Unavailable {
                why: error.to_string(),
                mend: "cargo xtask build".to_owned(),
            }),
            name,
            ..WorkloadInfo::default()
        },
    }
}

/// The variants of a workload by the names they are run by, and how each differs.
fn variants(name: &str, manifest: &Manifest) -> BTreeMap<String, String> {
    let variants = manifest.variants.iter();
    variants
        .map(|(variant, how)| (format!("{name}-{variant}"), how.about.clone()))
        .collect()
}

/// Sizes on disk of a workload's programs that are there.
fn bytes(assets: &Assets, name: &str) -> BTreeMap<String, u64> {
    let size = |kind: &&str| {
        let path = assets.program(name, kind).ok()?;
        Some((kind.to_string(), fs::metadata(path).ok()?.len()))
    };
    ["static", "dynamic", "wasm"].iter().filter_map(size).collect()
}

fn args(manifest: &Manifest, size: Size) -> Vec<String> {
    manifest
        .sizes
        .get(&size)
        .map(|problem| problem.args.clone())
        .unwrap_or_default()
}
