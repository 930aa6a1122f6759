//! Cargo, with a bar over the packages it compiles.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::progress::{self, Bar};
use crate::shell;

/// The cargo which runs this program.
pub(crate) fn command() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// What to compile.
pub(crate) struct Job<'a> {
    /// What the bar calls it.
    pub title: &'a str,
    /// The cargo command with its options, such as `["build", "--release"]`.
    pub command: &'a [&'a str],
    /// The packages, as cargo's flags select them.
    pub packages: &'a [String],
    /// The kinds of dependencies it compiles, as `cargo tree --edges` names them.
    pub edges: &'a str,
    /// Variables for cargo and all that it starts.
    pub environment: &'a [(&'static str, OsString)],
}

/// One of the messages of `cargo build --message-format=json`; of the others only the reason is read.
#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    executable: Option<PathBuf>,
}

impl Job<'_> {
    /// Compiles in the checkout at `root`; returns the executables.
    pub(crate) fn run(&self, root: &Path) -> Result<Vec<PathBuf>> {
        let bar = Bar::new(self.title, self.count_packages(root)?);
        let mut seen = BTreeSet::new();
        let mut executables = Vec::new();
        let mut command = command();
        command.current_dir(root).args(self.command).args(self.packages);
        command.envs(self.environment.iter().cloned());
        shell::run_lines(command.arg("--message-format=json-render-diagnostics"), |line| {
            let Some(artifact) = artifact(line) else { return };
            if artifact.package_id.is_some_and(|id| seen.insert(id)) {
                bar.advance();
            }
            executables.extend(artifact.executable);
        })?;
        bar.finish();
        Ok(executables)
    }

    /// How many packages there are to compile, those already compiled included.
    fn count_packages(&self, root: &Path) -> Result<usize> {
        let mut tree = command();
        tree.current_dir(root)
            .args(["tree", "--prefix=none", "--format={p}", "--edges", self.edges])
            .args(self.packages);
        let lines = shell::read(&mut tree)?;
        let packages: BTreeSet<&str> = lines.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        Ok(packages.iter().filter(|line| !line.is_empty()).count())
    }
}

fn artifact(line: &str) -> Option<Message> {
    match serde_json::from_str::<Message>(line) {
        Ok(message) if message.reason == "compiler-artifact" => Some(message),
        Ok(_) => None,
        Err(_) => {
            progress::line(line); // not a message: something a build script let through
            None
        }
    }
}

/// Selects packages by name.
pub(crate) fn packages(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("--package={name}")).collect()
}

/// Finds the executable `name` among those a job made.
pub(crate) fn executable<'a>(made: &'a [PathBuf], name: &str) -> Result<&'a Path> {
    let found = made
        .iter()
        .find(|path| path.file_name().is_some_and(|file| file == name));
    ensure!(
        found.is_some(),
        "cargo built no executable `{name}`: is there a [[bin]] of that name?"
    );
    Ok(found.expect("just ensured"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_artifacts_count() {
        let line = r#"{"reason":"compiler-artifact","package_id":"p","target":{},"executable":"/t/wbd","fresh":true}"#;
        let message = artifact(line).unwrap();
        assert_eq!(
            (message.package_id.as_deref(), message.executable),
            (Some("p"), Some(PathBuf::from("/t/wbd")))
        );
        assert!(artifact(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(artifact("no json").is_none());
    }
}
