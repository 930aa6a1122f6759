//! Finds a command's program as a shell would. The daemon checks again with the caller's rights at each run;
//! this is for a good message at once.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

/// Why a program cannot be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoProgram {
    /// The search path is missing.
    #[error("cannot look for `{}`: PATH is not set; give the program's path", .0.display())]
    NoPath(OsString),
    /// No directory of the search path has it.
    #[error("no program called `{}` is in any directory of PATH; check its name or give its path", .0.display())]
    NotInPath(OsString),
    /// Something is there, and it cannot be executed.
    #[error("cannot execute {}: {}", .0.display(), .1)]
    Unusable(PathBuf, String),
}

/// The absolute path of the program that `name` stands for: a path where it holds a slash, else the first
/// executable file of that name in the directories of `search`.
///
/// # Errors
/// Fails where there is none, or where all there are cannot be executed.
pub(crate) fn find(name: &OsStr, search: Option<&OsStr>, directory: &Path) -> Result<PathBuf, NoProgram> {
    if name.as_encoded_bytes().contains(&b'/') {
        return usable(directory.join(name));
    }
    let search = search.ok_or_else(|| NoProgram::NoPath(name.to_owned()))?;
    let mut failure = NoProgram::NotInPath(name.to_owned());
    if name.is_empty() {
        return Err(failure);
    }
    // An empty entry stands for the working directory, which joining it to the directory gives.
    for candidate in std::env::split_paths(search).map(|entry| directory.join(entry).join(name)) {
        if !candidate.is_file() {
            continue;
        }
        match usable(candidate) {
            Ok(program) => return Ok(program),
            Err(unusable) => failure = unusable,
        }
    }
    Err(failure)
}

fn usable(path: PathBuf) -> Result<PathBuf, NoProgram> {
    if path.is_dir() {
        return Err(NoProgram::Unusable(path, "it is a directory".to_owned()));
    }
    match access(&path, AccessFlags::X_OK) {
        Ok(()) => Ok(path),
        Err(Errno::EACCES) => Err(NoProgram::Unusable(
            path,
            "permission denied; is its execute bit set?".to_owned(),
        )),
        Err(errno) => Err(NoProgram::Unusable(path, errno.desc().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    fn place(directory: &Path, name: &str, mode: u32) {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn message(result: Result<PathBuf, NoProgram>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn the_first_executable_of_the_search_path_is_taken() {
        let dir = TempDir::new().unwrap();
        place(dir.path(), "a/tool", 0o644);
        place(dir.path(), "b/tool", 0o755);
        place(dir.path(), "c/tool", 0o755);
        let found = find("tool".as_ref(), Some("a:none:b:c".as_ref()), dir.path()).unwrap();
        assert_eq!(found, dir.path().join("b/tool"));
    }

    #[test]
    fn an_empty_entry_is_the_working_directory() {
        let dir = TempDir::new().unwrap();
        place(dir.path(), "tool", 0o755);
        assert_eq!(
            find("tool".as_ref(), Some("/none:".as_ref()), dir.path()).unwrap(),
            dir.path().join("tool")
        );
    }

    #[test]
    fn a_name_with_a_slash_is_a_path_and_is_not_searched() {
        let dir = TempDir::new().unwrap();
        place(dir.path(), "a/tool", 0o755);
        assert!(find("./tool".as_ref(), Some("a".as_ref()), dir.path()).is_err());
        assert!(find("a/tool".as_ref(), None, dir.path()).is_ok());
    }

    #[test]
    fn each_failure_says_what_is_wrong_with_what() {
        let dir = TempDir::new().unwrap();
        place(dir.path(), "a/data", 0o644);
        let find = |name: &str, search| message(find(name.as_ref(), search, dir.path()));
        let path = Some(OsStr::new("a"));
        assert!(find("gone", path).contains("`gone` is in any directory"));
        assert!(find("", path).contains("no program"));
        assert!(find("gone", None).contains("PATH is not set"));
        assert!(find("data", path).contains("a/data: permission denied"));
        assert!(find("./gone", path).contains("No such file"));
        assert!(find("./a", path).contains("directory"));
    }
}
