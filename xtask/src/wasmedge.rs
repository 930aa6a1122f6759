//! WasmEdge's library: fetched from Debian sid once, and kept beside the runner.
//!
//! sid's library wants sid's C library, which this host must not get. So that comes along, with the dynamic loader it
//! needs, and the runner is linked to start by that loader: the kernel starts it as it starts any dynamic program.
//! libLLVM looks for its own libraries in a folder `lib` beside its own, hence the name of theirs.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::apt::Apt;
use crate::dist::{Dist, list, make_dir, remove};
use crate::runners::{Means, Missing};
use crate::shell;
use crate::tree::Tree;

/// The one version that the crate wasmedge-sdk of this version takes.
const VERSION: &str = "0.17.1";
const SUITE: &str = "sid";
/// The library, and its headers.
const PACKAGES: [&str; 2] = ["libwasmedge0", "libwasmedge-dev"];
const TOOLS: [&str; 3] = ["apt-get", "apt-cache", "dpkg-deb"];

/// The environment to build and test the runner in.
pub(crate) fn provide(tree: &Tree, dist: &Dist) -> Result<Means, Missing> {
    let place = Place {
        kept: tree.target.join("wasmedge"),
        libraries: dist.runners().join("wasmedge/lib"),
    };
    if !place.is_complete() {
        can_fetch()?;
        place.fill()?;
    }
    place.means().map_err(again)
}

fn can_fetch() -> Result<(), Missing> {
    let lacking = TOOLS.iter().find(|tool| shell::find_program(tool).is_none());
    lacking.map_or(Ok(()), |tool| {
        Err(Missing {
            why: format!(
                "libwasmedge {VERSION} comes from Debian {SUITE}, and there is no {tool} to fetch it with"
            ),
            mend: "build on Debian, or in the container of containers/build: cargo xtask build".to_owned(),
        })
    })
}

/// For what may go better the next time.
fn again(error: anyhow::Error) -> Missing {
    Missing {
        why: format!("libwasmedge {VERSION} could not be had from Debian {SUITE}: {error:#}"),
        mend: "with Debian's mirror in reach, and after `sudo apt-get update`: cargo xtask build".to_owned(),
    }
}

fn moved_on(offered: &[String]) -> Missing {
    Missing {
        why: format!(
            "wasmedge-sdk {VERSION} takes libwasmedge {VERSION} alone, and Debian {SUITE} now has {}",
            if offered.is_empty() {
                "none".to_owned()
            } else {
                offered.join(", ")
            }
        ),
        mend: format!(
            "take a newer wbd, made for the version that {SUITE} has, and there: cargo xtask build"
        ),
    }
}

/// Where things are put.
struct Place {
    /// What only building needs.
    kept: PathBuf,
    /// What running needs.
    libraries: PathBuf,
}

impl Place {
    fn is_complete(&self) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|version| version == VERSION)
            && self.libraries.join("libwasmedge.so").is_file()
    }

    fn stamp(&self) -> PathBuf {
        self.kept.join("complete")
    }

    fn fill(&self) -> Result<(), Missing> {
        let apt = Apt::of(&self.kept.join("apt"), SUITE, None).map_err(again)?;
        let offered = apt.versions(PACKAGES[0]).map_err(again)?;
        let Some(version) = offered.iter().find(|version| is_right(version)) else {
            return Err(moved_on(&offered));
        };
        let wanted = PACKAGES.map(|package| format!("{package}={version}"));
        let archives = apt.download(&wanted).map_err(again)?;
        self.unpack(&archives).map_err(again)
    }

    fn unpack(&self, archives: &[PathBuf]) -> Result<()> {
        let root = self.kept.join("root");
        for folder in [&root, &self.libraries] {
            remove(folder)?;
            make_dir(folder)?;
        }
        for archive in archives {
            must_be_right(archive)?;
            shell::run(Command::new("dpkg-deb").arg("--extract").args([archive, &root]))?;
        }
        move_libraries(&root.join("usr/lib"), &self.libraries)?;
        self.keep_headers(&root)?;
        self.link_one()?;
        remove(&root)?;
        fs::write(self.stamp(), VERSION).with_context(|| format!("cannot write {}", self.stamp().display()))
    }

    fn headers(&self) -> PathBuf {
        self.kept.join("include")
    }

    fn keep_headers(&self, root: &Path) -> Result<()> {
        remove(&self.headers())?;
        rename(&root.join("usr/include"), &self.headers())
    }

    fn link_folder(&self) -> PathBuf {
        self.kept.join("link")
    }

    /// The crate's build script hands its folder of libraries to rustc as LD_LIBRARY_PATH. One with another C library
    /// in it would be the end of rustc.
    fn link_one(&self) -> Result<()> {
        let link = self.link_folder().join("libwasmedge.so");
        make_dir(&self.link_folder())?;
        remove(&link)?;
        symlink(self.libraries.join("libwasmedge.so"), &link)
            .with_context(|| format!("cannot make the link {}", link.display()))
    }

    fn means(&self) -> Result<Means> {
        let environment = [
            ("WASMEDGE_INCLUDE_DIR", self.headers().into_os_string()),
            ("WASMEDGE_LIB_DIR", self.link_folder().into_os_string()),
            ("WBD_WASMEDGE_LIBRARIES", self.libraries.clone().into_os_string()),
            ("WBD_WASMEDGE_LOADER", loader(&self.libraries)?),
        ];
        Ok(Means {
            environment: environment.into(),
        })
    }
}

/// Debian's own revisions of one version, and rebuilds of them, differ in nothing that matters here.
fn is_right(version: &str) -> bool {
    version
        .strip_prefix(VERSION)
        .is_some_and(|revision| revision.starts_with('-'))
}

/// By what a package of WasmEdge says of itself, not by its file name.
fn must_be_right(archive: &Path) -> Result<()> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    if !PACKAGES.iter().any(|package| name.starts_with(package)) {
        return Ok(());
    }
    let version = shell::read(
        Command::new("dpkg-deb")
            .arg("--field")
            .arg(archive)
            .arg("Version"),
    )?;
    ensure!(
        is_right(&version),
        "{} holds {version}, not {VERSION}",
        archive.display()
    );
    Ok(())
}

/// From the folder of the machine's architecture, the only one there is; plug-ins of the C library stay behind.
fn move_libraries(from: &Path, to: &Path) -> Result<()> {
    for folder in list(from)? {
        for file in list(&folder)? {
            let name = file.file_name().unwrap_or_default();
            if name.to_string_lossy().contains(".so") {
                rename(&file, &to.join(name))?;
            }
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("cannot move {} to {}", from.display(), to.display()))
}

fn loader(libraries: &Path) -> Result<OsString> {
    let files = list(libraries)?;
    let mut names = files.iter().filter_map(|file| file.file_name());
    let loader = names.find(|name| name.to_string_lossy().starts_with("ld-linux"));
    let missing = || format!("there is no dynamic loader in {}", libraries.display());
    loader.map(Into::into).with_context(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_the_crate_takes() {
        let manifest = include_str!("../../Cargo.toml");
        assert!(manifest.contains(&format!("wasmedge-sdk = {{ version = \"={VERSION}\"")));
    }

    #[test]
    fn a_rebuilt_package_is_right_and_another_version_is_not() {
        assert!(is_right("0.17.1-1") && is_right("0.17.1-1+b1"));
        assert!(!is_right("0.17.10-1") && !is_right("0.18.0-1") && !is_right("0.17.1"));
    }
}
