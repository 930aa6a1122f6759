//! Where the daemon's own files are: runners and workloads.

use std::path::{Path, PathBuf};

use wbd_model::host::Unavailable;

/// How to get what is missing.
const MEND: &str = "build and install it with: cargo xtask build";

/// The directories of runners and workloads.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    /// Runners, one for each engine.
    pub(crate) runners: PathBuf,
    /// Workloads, each in a directory of its name.
    pub(crate) workloads: PathBuf,
}

impl Assets {
    /// Those that belong to this program: `../lib/wbd` and `../share/wbd` beside it.
    pub(crate) fn beside_this_program() -> std::io::Result<Self> {
        let program = std::env::current_exe()?.canonicalize()?;
        let prefix = program
            .parent()
            .and_then(Path::parent)
            .unwrap_or(Path::new("/usr"));
        Ok(Self {
            runners: prefix.join("lib/wbd"),
            workloads: prefix.join("share/wbd/workloads"),
        })
    }

    /// The runner of an engine; where the build left it out, its reason.
    pub(crate) fn runner(&self, engine: &str) -> Result<PathBuf, Unavailable> {
        let runner = self.runners.join(format!("wbd-runner-{engine}"));
        let note = runner.with_extension("missing");
        present(runner).map_err(|unavailable| reason(&note).unwrap_or(unavailable))
    }

    /// The program that reads the clock as its very first act.
    pub(crate) fn clock(&self) -> PathBuf {
        self.runners.join("wbd-clock")
    }

    /// A workload's program: `kind` is `static`, `dynamic` or `wasm`.
    pub(crate) fn program(&self, workload: &str, kind: &str) -> Result<PathBuf, Unavailable> {
        present(self.workloads.join(workload).join(format!("{workload}.{kind}")))
    }
}

/// What `cargo xtask build` wrote where it could not build a runner.
fn reason(note: &Path) -> Option<Unavailable> {
    toml::from_str(&std::fs::read_to_string(note).ok()?).ok()
}

fn present(path: PathBuf) -> Result<PathBuf, Unavailable> {
    if path.is_file() {
        return Ok(path);
    }
    Err(Unavailable {
        why: format!("{} is not there", path.display()),
        mend: MEND.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_that_was_left_out_is_unavailable_for_the_reason_noted() {
        let dir = tempfile::tempdir().unwrap();
        let runners = dir.path().to_owned();
        let assets = Assets {
            workloads: runners.clone(),
            runners,
        };
        let why = |engine| assets.runner(engine).unwrap_err().why;
        assert!(why("x").ends_with("wbd-runner-x is not there"));
        let note = "why = \"no library\"\nmend = \"get it\"\n";
        std::fs::write(dir.path().join("wbd-runner-x.missing"), note).unwrap();
        assert_eq!(why("x"), "no library");
        assert_eq!(assets.runner("x").unwrap_err().mend, "get it");
        std::fs::write(dir.path().join("wbd-runner-x"), "").unwrap();
        assert!(assets.runner("x").is_ok());
    }
}
