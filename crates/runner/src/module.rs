//! The file of a module.

use std::path::Path;

use crate::Failure;

/// The bytes of a file that begins as a core module does.
///
/// # Errors
///
/// The file cannot be read, or holds a component, or no WebAssembly at all.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::cannot_read(path, error))?;
    let path = path.display();
    match bytes.get(..8) {
        Some(b"\0asm\x01\0\0\0") => Ok(bytes),
        Some([b'\0', b'a', b's', b'm', _, _, 1, 0]) => Err(Failure::new(format_args!(
            "`{path}` is a component; build it for wasm32-wasip1, which makes a module"
        ))),
        _ => Err(Failure::new(format_args!(
            "`{path}` is not a WebAssembly module; name a .wasm file built for wasm32-wasip1"
        ))),
    }
}
