//! Debian packages of another suite than the host's, downloaded and never installed.
//!
//! apt works on a state of its own: index, list of installed packages (none) and archives lie in one folder. Of the
//! host's it reads the name of the mirror, the keys, and the configuration, which may name a proxy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::dist::{list, make_dir};
use crate::shell;

/// The keys that Debian signs its suites with, in the package on which apt itself depends.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Read after the host's configuration. The host's hooks are for the host's state.
const CONFIGURATION: &str = r#"
Dir::State::Lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
Dir::Cache::archives "{folder}/archives";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
"#;

/// An apt with a state of its own.
pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// One that knows `suite` alone, by the index of this moment; for another architecture than the host's if one is told.
    pub(crate) fn of(folder: &Path, suite: &str, architecture: Option<&str>) -> Result<Self> {
        for below in ["lists/partial", "archives/partial"] {
            make_dir(&folder.join(below))?;
        }
        let mirror = mirror(suite)?;
        let place = folder.to_str().context("the build directory's path is no text")?;
        for (name, content) in [
            ("status", String::new()),
            (
                "sources.list",
                format!("deb [signed-by={KEYS} target=Packages] {mirror} {suite} main\n"),
            ),
            ("apt.conf", configuration(place, architecture)),
        ] {
            let path = folder.join(name);
            fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let apt = Self {
            folder: folder.to_owned(),
        };
        shell::run(apt.command("apt-get").args(["--quiet", "update"]))?;
        Ok(apt)
    }

    /// The versions of a package that the suite has.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = shell::read(self.command("apt-cache").args(["madison", package]))?;
        Ok(table.lines().filter_map(version).map(str::to_owned).collect())
    }

    /// Downloads packages, each as `NAME=VERSION`, and all they depend on; returns the files.
    pub(crate) fn download(&self, packages: &[String]) -> Result<Vec<PathBuf>> {
        let mut install = self.command("apt-get");
        install.args(["--quiet", "--yes", "--download-only", "install"]);
        shell::run(install.args(packages))?;
        self.archives()
    }

    /// The package on which another depends, of those that begin so: a kernel's own, by the name that stays the same.
    pub(crate) fn newest(&self, package: &str, begins: &str) -> Result<String> {
        let depends = shell::read(self.command("apt-cache").args(["depends", package]))?;
        let mut names = depends
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        let newest = names.find(|name| name.starts_with(begins));
        let missing = || format!("{package} depends on no {begins}*");
        newest.map(str::to_owned).with_context(missing)
    }

    /// Downloads one package, as `NAME` or `NAME=VERSION`, without what it depends on.
    pub(crate) fn download_alone(&self, package: &str) -> Result<PathBuf> {
        let archives = self.folder.join("archives");
        shell::run(
            self.command("apt-get")
                .current_dir(&archives)
                .args(["--quiet", "download", package]),
        )?;
        let begins = format!("{}_", package.split('=').next().unwrap_or(package));
        let mut files = self.archives()?.into_iter();
        let found = files.find(|file| {
            file.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&begins))
        });
        found.with_context(|| format!("apt downloaded {package} and it is not in {}", archives.display()))
    }

    fn archives(&self) -> Result<Vec<PathBuf>> {
        let mut files = list(&self.folder.join("archives"))?;
        files.retain(|file| file.extension().is_some_and(|ending| ending == "deb"));
        Ok(files)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("--config-file").arg(self.folder.join("apt.conf"));
        command
    }
}

/// Puts what a package holds below a folder.
pub(crate) fn unpack(archive: &Path, into: &Path) -> Result<()> {
    make_dir(into)?;
    shell::run(Command::new("dpkg-deb").arg("--extract").args([archive, into]))
}

fn configuration(folder: &str, architecture: Option<&str>) -> String {
    let mut configuration = CONFIGURATION.replace("{folder}", folder);
    if let Some(name) = architecture {
        configuration += &format!(
            "#clear APT::Architectures;\nAPT::Architecture \"{name}\";\nAPT::Architectures {{ \"{name}\"; }};\n"
        );
    }
    configuration
}

/// Where the host itself gets Debian from, or Debian's mended packages.
fn mirror(suite: &str) -> Result<String> {
    let mut targets = Command::new("apt-get");
    targets.args([
        "indextargets",
        "--format",
        "$(ORIGIN) $(LABEL) $(REPO_URI)",
        "Created-By: Packages",
    ]);
    let targets = shell::read(&mut targets)?;
    let archive = if suite.ends_with("-security") {
        "Debian Debian-Security "
    } else {
        "Debian Debian "
    };
    let mirror = targets.lines().find_map(|line| line.strip_prefix(archive));
    mirror.map(str::to_owned).context(
        "apt knows no mirror of Debian: either this is another distribution, or `apt-get update` has yet to be run",
    )
}

/// The second column of what `apt-cache madison` prints.
fn version(line: &str) -> Option<&str> {
    line.split('|').nth(1).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_between_the_bars() {
        let line = "libwasmedge0 | 0.17.1-1+b1 | mirror sid/main amd64 Packages";
        assert_eq!(version(line), Some("0.17.1-1+b1"));
        assert_eq!(version(""), None);
    }
}
