//! Files that a process had mapped, and their functions by offsets in the file.
//!
//! A file is found by its path and believed by its device and inode: another one that took its place has other
//! functions. It is opened with the rights of whoever is measured ([`crate::caller_file`]): a program may be executed
//! by some who may not read it. It may be the measured user's own, who could cut it short while it is read, and a mapped file that is
//! cut short kills its reader. So what others than root can change is read from a copy in memory.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use blazesym::symbolize::source::{Elf, Source};
use blazesym::symbolize::{Input, Symbolized, Symbolizer};

use super::compiled::Compiled;
use super::readable::tidy;
use super::{Function, Origin};
use crate::caller_file;
use crate::gate::Identity;

/// Most bytes of a file that is copied.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// Mode bits with which others than the owner write.
const OTHERS_WRITE: u32 = 0o022;

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// Its device, as `stat` gives it.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
}

/// Why a mapped file's functions cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum MappedFileError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another file is there now.
    #[error("{}: the file that was mapped is no longer there; leave it in place until the run is explained", path.display())]
    Replaced {
        /// The path.
        path: PathBuf,
    },
    /// It is too large to be copied.
    #[error("{}: larger than {} MiB, and not protected from changes", path.display(), MOST_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

/// A file that was mapped.
#[derive(Debug)]
pub struct MappedFile {
    functions: Functions,
}

#[derive(Debug)]
enum Functions {
    Compiled(Compiled),
    Elf {
        symbolizer: Box<Symbolizer>,
        source: Source<'static>,
        /// The source names it by its number.
        _open: File,
    },
}

impl MappedFile {
    /// Opens, as `reader` could, the file that was mapped from this path.
    ///
    /// # Errors
    ///
    /// It is no longer there, or cannot be read.
    pub fn open(path: &Path, id: FileId, reader: &Identity) -> Result<Self, MappedFileError> {
        let replaced = || MappedFileError::Replaced {
            path: path.to_owned(),
        };
        let unreadable = |source| MappedFileError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = caller_file::open_without_links(path, reader).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => replaced(),
            _ if error.raw_os_error() == Some(libc::ELOOP) => replaced(),
            _ => unreadable(error),
        })?;
        let found = file.metadata().map_err(unreadable)?;
        let found_id = FileId {
            device: found.dev(),
            inode: found.ino(),
        };
        if found_id != id {
            return Err(replaced());
        }
        let file = if is_settled(&found) {
            file
        } else {
            copy(file, path)?
        };
        let functions = Functions::of(file).map_err(unreadable)?;
        Ok(Self { functions })
    }

    /// The functions at these offsets in the file, in their order.
    #[must_use]
    pub fn functions(&self, offsets: &[u64]) -> Vec<Option<Function>> {
        match &self.functions {
            Functions::Compiled(compiled) => offsets.iter().map(|offset| compiled.find(*offset)).collect(),
            Functions::Elf {
                symbolizer, source, ..
            } => {
                let found = symbolizer.symbolize(source, Input::FileOffset(offsets));
                found.map_or_else(
                    |_| vec![None; offsets.len()],
                    |found| found.iter().map(function).collect(),
                )
            }
        }
    }
}

impl Functions {
    fn of(mut file: File) -> io::Result<Self> {
        if let Some(compiled) = compiled(&mut file)? {
            return Ok(Self::Compiled(compiled));
        }
        let mut elf = Elf::new(format!("/proc/self/fd/{}", file.as_raw_fd()));
        elf.debug_syms = false;
        let symbolizer = Symbolizer::builder()
            .enable_code_info(false)
            .enable_auto_reload(false)
            .build();
        Ok(Self::Elf {
            symbolizer: Box::new(symbolizer),
            source: elf.into(),
            _open: file,
        })
    }
}

/// A guest that an engine compiled ahead, if the file is one: they are small, and said so by whoever made them.
fn compiled(file: &mut File) -> io::Result<Option<Compiled>> {
    const MOST_COMPILED_BYTES: u64 = 64 * 1024 * 1024;
    if file.metadata()?.len() > MOST_COMPILED_BYTES {
        return Ok(None);
    }
    let mut data = Vec::new();
    file.rewind()?;
    file.take(MOST_COMPILED_BYTES).read_to_end(&mut data)?;
    Ok(Compiled::read(&data))
}

fn function(found: &Symbolized<'_>) -> Option<Function> {
    Some(Function {
        name: tidy(&found.as_sym()?.name),
        origin: Origin::File,
    })
}

/// Whether nobody but root can change it.
fn is_settled(found: &Metadata) -> bool {
    found.uid() == 0 && found.mode() & OTHERS_WRITE == 0
}

fn copy(file: File, path: &Path) -> Result<File, MappedFileError> {
    let copied = || -> io::Result<(File, u64)> {
        let name = nix::sys::memfd::memfd_create("wbd-symbols", nix::sys::memfd::MFdFlags::MFD_CLOEXEC)?;
        let mut copy = File::from(name);
        let bytes = io::copy(&mut file.take(MOST_BYTES + 1), &mut copy)?;
        copy.flush()?;
        Ok((copy, bytes))
    };
    match copied() {
        Ok((_, bytes)) if bytes > MOST_BYTES => Err(MappedFileError::TooLarge {
            path: path.to_owned(),
        }),
        Ok((copy, _)) => Ok(copy),
        Err(source) => Err(MappedFileError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// A file that nobody looked at before.
#[cfg(fuzzing)]
pub(super) fn of_file(file: File) -> io::Result<MappedFile> {
    let functions = Functions::of(file)?;
    Ok(MappedFile { functions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn a_function_to_be_found() {}

    fn ours() -> Identity {
        Identity::of_this_process().expect("it has one")
    }

    fn id(path: &Path) -> FileId {
        let found = path.metadata().expect("there");
        FileId {
            device: found.dev(),
            inode: found.ino(),
        }
    }

    /// Where this process has mapped a function's code from.
    fn mapping_of(address: u64) -> (PathBuf, u64) {
        let maps = procfs::process::Process::myself()
            .and_then(|me| me.maps())
            .expect("maps");
        let covers = |map: &procfs::process::MemoryMap| (map.address.0..map.address.1).contains(&address);
        let map = maps.into_iter().find(covers).expect("code is mapped");
        let procfs::process::MMapPath::Path(path) = map.pathname else {
            panic!("code is in a file");
        };
        (path, map.offset + address - map.address.0)
    }

    fn name(file: &MappedFile, offset: u64) -> Option<String> {
        file.functions(&[offset])
            .pop()
            .flatten()
            .map(|function| function.name)
    }

    #[test]
    fn a_function_of_this_very_program_is_found_demangled() {
        let (path, offset) = mapping_of(a_function_to_be_found as *const () as u64);
        let file = MappedFile::open(&path, id(&path), &ours()).expect("opened");
        let found = name(&file, offset).expect("found");
        assert!(
            found.ends_with("mapped::tests::a_function_to_be_found"),
            "{found}"
        );
        assert_eq!(name(&file, 0), None, "a header is no function");
    }

    #[test]
    fn a_file_that_others_can_change_is_read_from_a_copy() {
        let (path, offset) = mapping_of(a_function_to_be_found as *const () as u64);
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join("own");
        std::fs::copy(&path, &own).expect("copied");
        std::fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("changed");
        let file = MappedFile::open(&own, id(&own), &ours()).expect("opened");
        File::options()
            .write(true)
            .truncate(true)
            .open(&own)
            .expect("cut short");
        assert!(name(&file, offset).is_some());
    }

    #[test]
    fn another_file_in_its_place_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("program");
        std::fs::write(&path, "old").expect("written");
        let mapped = id(&path);
        let other = folder.path().join("other");
        std::fs::write(&other, "new").expect("written");
        std::fs::rename(&other, &path).expect("replaced");
        let refused = |path: &Path| {
            matches!(
                MappedFile::open(path, mapped, &ours()),
                Err(MappedFileError::Replaced { .. })
            )
        };
        assert!(refused(&path));
        std::fs::remove_file(&path).expect("removed");
        assert!(refused(&path));
        let (in_folder, linked) = (id(folder.path()), folder.path().join("link"));
        assert!(
            MappedFile::open(folder.path(), in_folder, &ours()).is_err(),
            "no plain file"
        );
        std::os::unix::fs::symlink("/proc/self/exe", &linked).expect("linked");
        assert!(MappedFile::open(&linked, mapped, &ours()).is_err(), "a link");
    }

    #[test]
    fn a_file_without_symbols_names_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("text");
        std::fs::write(&path, "no program").expect("written");
        let file = MappedFile::open(&path, id(&path), &ours()).expect("opened");
        assert_eq!(file.functions(&[0, 5]), [None, None]);
    }
}
