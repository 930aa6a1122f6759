//! What of a file is in the page cache, and getting it out of there. No other file is touched: nothing here writes
//! to `/proc/sys/vm/drop_caches`.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::unistd::{SysconfVar, sysconf};

/// Largest file whose pages are looked at: a file with holes can be of any size, and each page is looked at.
pub const MOST_BYTES: u64 = 256 << 30;
/// Bytes of a file that are looked at in one go.
const WINDOW_BYTES: u64 = 1 << 30;

/// Drops a file from the page cache, after what is dirty of it was written. Pages that somebody has mapped or is
/// reading stay; [`resident_bytes`] tells.
pub fn drop_file(file: &File) -> io::Result<()> {
    file.sync_data()?;
    const TO_THE_END: libc::off_t = 0;
    Ok(posix_fadvise(
        file,
        0,
        TO_THE_END,
        PosixFadviseAdvice::POSIX_FADV_DONTNEED,
    )?)
}

/// How many bytes of a file are in the page cache, in whole pages (`mincore`).
///
/// # Errors
///
/// The file cannot be mapped, or is larger than [`MOST_BYTES`], or the kernel does not tell: it does to those who may
/// write the file, and to root.
pub fn resident_bytes(file: &File) -> io::Result<u64> {
    let bytes = file.metadata()?.len();
    if bytes > MOST_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} GiB", MOST_BYTES >> 30),
        ));
    }
    let windows = (0..bytes).step_by(WINDOW_BYTES as usize);
    windows
        .map(|begin| resident_between(file, begin, bytes.min(begin + WINDOW_BYTES)))
        .sum()
}

/// The same of a part of a file, which begins at a page.
fn resident_between(file: &File, begin: u64, end: u64) -> io::Result<u64> {
    let bytes = usize::try_from(end - begin).map_err(io::Error::other)?;
    let Some(length) = NonZeroUsize::new(bytes) else {
        return Ok(0);
    };
    let offset = libc::off_t::try_from(begin).map_err(io::Error::other)?;
    let page = sysconf(SysconfVar::PAGE_SIZE)?.unwrap_or(4096) as usize;
    let mut pages = vec![0_u8; bytes.div_ceil(page)];
    // SAFETY: a mapping that nothing reads or writes, and that lives as long as this function; the kernel writes one
    // byte for each of its pages.
    let told = unsafe {
        let mapping = mmap(
            None,
            length,
            ProtFlags::PROT_NONE,
            MapFlags::MAP_SHARED,
            file,
            offset,
        )?;
        let told = libc::mincore(mapping.as_ptr(), bytes, pages.as_mut_ptr());
        let told = if told < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        };
        munmap(mapping, bytes)?;
        told
    };
    told?;
    let resident = pages.iter().filter(|&&page| page & 1 == 1).count();
    Ok((resident * page) as u64)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    const PAGES: usize = 64;

    fn file_of(bytes: usize) -> File {
        // Beside the sources: what /tmp is made of may have no other place than the page cache.
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.write_all(&vec![1; bytes]).unwrap();
        file
    }

    #[test]
    fn a_file_that_was_written_is_dropped_and_comes_back_when_it_is_read() {
        let mut file = file_of(PAGES * 4096);
        assert_eq!(resident_bytes(&file).unwrap(), (PAGES * 4096) as u64);
        drop_file(&file).unwrap();
        assert_eq!(resident_bytes(&file).unwrap(), 0);
        file.rewind().unwrap();
        file.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(resident_bytes(&file).unwrap(), (PAGES * 4096) as u64);
    }

    #[test]
    fn what_is_mapped_and_used_stays_and_is_told() {
        let file = file_of(4096);
        // SAFETY: one page of a file that has one, unmapped by the end of the process.
        let used = unsafe {
            let one = NonZeroUsize::new(4096).unwrap();
            let page = mmap(None, one, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, &file, 0).unwrap();
            page.cast::<u8>().read_volatile()
        };
        assert_eq!(used, 1);
        drop_file(&file).unwrap();
        assert_eq!(resident_bytes(&file).unwrap(), 4096);
    }

    #[test]
    fn a_file_with_holes_costs_no_memory_whatever_its_size() {
        let file = file_of(2 * 4096);
        file.set_len(3 * WINDOW_BYTES + 1).unwrap();
        assert_eq!(resident_bytes(&file).unwrap(), 2 * 4096);
        let huge = file_of(0);
        huge.set_len(MOST_BYTES + 1).unwrap();
        assert!(resident_bytes(&huge).unwrap_err().to_string().contains("larger"));
    }

    #[test]
    fn an_empty_file_has_nothing_to_drop() {
        let file = file_of(0);
        drop_file(&file).unwrap();
        assert_eq!(resident_bytes(&file).unwrap(), 0);
    }
}
