//! Machine code made beforehand: a shared library with the module inside, which the dynamic loader maps.
//!
//! The loader and WasmEdge trust the file. The daemon vouches for it: it had the file made by this very program, and
//! names no other here. What is checked is what an accident would leave: a file cut short, which the loader would map
//! beyond its end, and one that is something else.

use std::ffi::CString;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use wasmedge_sdk::config::{CommonConfigOptions, CompilerConfigOptions, Config, ConfigBuilder};
use wasmedge_sdk::{Compiler, CompilerOutputFormat, WasmEdgeResult};
use wbd_runner::{Failure, Runner as _, module};

use crate::{WasmEdge, log};

/// Length of the header of a 64-bit ELF file.
const HEADER: usize = 64;
/// How such a file of the only byte order there is here begins.
const MAGIC: &[u8] = b"\x7fELF\x02\x01";
/// Where the header says at which offset the table of sections begins.
const E_SHOFF: usize = 0x28;
/// Where it says how long an entry of that table is.
const E_SHENTSIZE: usize = 0x3A;
/// And how many there are.
const E_SHNUM: usize = 0x3C;

/// The path by which to map the machine code at `path`, of which nothing is missing.
pub(crate) fn whole(path: &Path) -> Result<CString, Failure> {
    let cannot_read = |error| Failure::cannot_read(path, error);
    let file = File::open(path).map_err(cannot_read)?;
    let length = file.metadata().map_err(cannot_read)?.len();
    let refused = |reason| Failure::cannot_load(path, reason, WasmEdge::NAME);
    let header = header(&file).map_err(cannot_read)?;
    let header = header.ok_or_else(|| refused("it is no machine code of WasmEdge's"))?;
    if end(&header).is_none_or(|end| end > length) {
        return Err(refused("it is cut short"));
    }
    let absolute = path.canonicalize().map_err(cannot_read)?;
    CString::new(absolute.as_os_str().as_bytes()).map_err(|_| refused("its name holds a NUL"))
}

fn header(mut file: &File) -> std::io::Result<Option<[u8; HEADER]>> {
    let mut header = [0; HEADER];
    match file.read_exact(&mut header) {
        Ok(()) => Ok(header.starts_with(MAGIC).then_some(header)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the file is to end at the earliest: the linker writes the table of sections last.
fn end(header: &[u8; HEADER]) -> Option<u64> {
    let offset = u64::from_le_bytes(field(header, E_SHOFF)?);
    let size = u16::from_le_bytes(field(header, E_SHENTSIZE)?);
    let number = u16::from_le_bytes(field(header, E_SHNUM)?);
    offset.checked_add(u64::from(size) * u64::from(number))
}

fn field<const N: usize>(header: &[u8; HEADER], at: usize) -> Option<[u8; N]> {
    header.get(at..)?.first_chunk().copied()
}

/// The machine code of the module at `path`, for this processor.
pub(crate) fn compile(path: &Path) -> Result<Vec<u8>, Failure> {
    let module = module::read(path)?;
    let room = tempfile::tempdir().map_err(no_room)?;
    let made = compiler().and_then(|compiler| compiler.compile_from_bytes(module, "code", room.path()));
    let made = made.map_err(|error| {
        let reason = log::errors().unwrap_or_else(|| error.to_string());
        Failure::cannot_compile(path, reason)
    })?;
    std::fs::read(&made).map_err(no_room)
}

/// With all that WasmEdge sets by default, but for a shared library in place of a module that carries its code.
fn compiler() -> WasmEdgeResult<Compiler> {
    let options = CompilerConfigOptions::new().out_format(CompilerOutputFormat::Native);
    let config: Config = ConfigBuilder::new(CommonConfigOptions::new())
        .with_compiler_config(options)
        .build()?;
    Compiler::new(Some(&config))
}

fn no_room(error: std::io::Error) -> Failure {
    Failure::new(format_args!(
        "cannot make machine code in a temporary directory: {error}; name one with room in TMPDIR"
    ))
}
