//! Where the sources and the build results lie.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cargo;
use crate::shell;

/// The checkout and its build directory.
pub(crate) struct Tree {
    /// The root of the checkout.
    pub root: PathBuf,
    /// Cargo's target directory, wherever the user has put it.
    pub target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Tree {
    /// Asks cargo, who knows the configuration and the environment, about the folder we are in: not about the
    /// one this program was compiled in, since two checkouts may share a build directory.
    pub(crate) fn find() -> Result<Self> {
        let mut command = cargo::command();
        command.args(["metadata", "--no-deps", "--format-version=1"]);
        let text = shell::read(&mut command)?;
        let metadata: Metadata =
            serde_json::from_str(&text).context("cannot read what `cargo metadata` printed")?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
        })
    }
}
