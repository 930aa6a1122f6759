//! Compiles each workload statically, dynamically and to Wasm, and puts its manifest beside the programs.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::compiler::{Compiler, Form, Program};
use crate::dist::{self, install, list, make_dir, read};
use crate::platform::Platform;
use crate::progress::Bar;
use crate::tree::Tree;

/// What of a manifest matters to the compiler. The whole of it is `wbd_model::workload::Manifest`, whose crate would
/// make every first task wait for the gRPC stack to be compiled.
#[derive(Deserialize)]
struct Manifest {
    source: String,
    #[serde(default)]
    libraries: Vec<String>,
}

const FORMS: [(Form, &str); 3] = [
    (Form::Static, "static"),
    (Form::Dynamic, "dynamic"),
    (Form::Wasm, "wasm"),
];

/// The names of the workloads in this checkout.
pub(crate) fn names(tree: &Tree) -> Result<Vec<String>> {
    let entries = list(&tree.root.join("workloads"))?;
    let folders = entries.iter().filter(|path| path.join("workload.toml").is_file());
    Ok(folders
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect())
}

/// Makes what is not up to date and removes what is no workload any more.
pub(crate) fn build(tree: &Tree, platform: &Platform) -> Result<()> {
    let names = names(tree)?;
    let (workloads, compiler) = (platform.dist.workloads(), &platform.compiler);
    let bar = Bar::new("workloads", names.len() * FORMS.len());
    for name in &names {
        build_one(
            &tree.root.join("workloads").join(name),
            &workloads.join(name),
            compiler,
            &bar,
        )?;
    }
    bar.finish();
    let is_known = |path: &Path| {
        names
            .iter()
            .any(|name| path.file_name() == Some(OsStr::new(name)))
    };
    list(&workloads)?
        .iter()
        .filter(|path| !is_known(path))
        .try_for_each(|path| dist::remove(path))
}

fn build_one(folder: &Path, into: &Path, compiler: &Compiler, bar: &Bar) -> Result<()> {
    let manifest = folder.join("workload.toml");
    let text = String::from_utf8_lossy(&read(&manifest)?).into_owned();
    let Manifest { source, libraries } =
        toml::from_str(&text).with_context(|| format!("cannot understand {}", manifest.display()))?;
    let name = folder
        .file_name()
        .context("a workload's folder has a name")?
        .display();
    make_dir(into)?;
    for (form, ending) in FORMS {
        let output = into.join(format!("{name}.{ending}"));
        compiler.make(&Program {
            source: folder.join(&source),
            libraries: libraries.clone(),
            form,
            output,
        })?;
        bar.advance();
    }
    install(&manifest, into)
}
