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

    /// The runner of an engine.
    pub(crate) fn runner(&self, engine: &str) -> Result<PathBuf, Unavailable> {
        present(self.runners.join(format!("wbd-runner-{engine}")))
    }

    /// A workload's program: `kind` is `static`, `dynamic` or `wasm`.
    pub(crate) fn program(&self, workload: &str, kind: &str) -> Result<PathBuf, Unavailable> {
        present(self.workloads.join(workload).join(format!("{workload}.{kind}")))
    }
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
