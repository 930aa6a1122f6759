//! Guests, each just long enough to show one thing. Each exports its memory, as WASI demands.

/// The module of this text.
///
/// # Panics
///
/// The text is not well formed.
#[must_use]
pub fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the guest is well formed")
}

/// Exits with status 7.
pub const EXITS_SEVEN: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 7))))"#;

/// Returns from `_start`.
pub const RETURNS: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

/// Traps.
pub const TRAPS: &str = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;

/// Traps before `_start`, when it is instantiated.
pub const TRAPS_EARLY: &str = r#"(module (memory (export "memory") 1) (func $first unreachable) (start $first) (func (export "_start")))"#;

/// Calls itself without end, and counts the returns, lest a compiler make a loop of it.
pub const OVERFLOWS: &str = r#"(module
    (memory (export "memory") 1)
    (global $returns (mut i32) (i32.const 0))
    (func $f (export "_start")
        (call $f)
        (global.set $returns (i32.add (global.get $returns) (i32.const 1)))))"#;

/// Wants a function nobody has.
pub const WANTS_MORE: &str =
    r#"(module (import "env" "no_such_thing" (func)) (memory (export "memory") 1) (func (export "_start")))"#;

/// Wants a function of WASI that is none.
pub const WANTS_MORE_OF_WASI: &str = r#"(module
    (import "wasi_snapshot_preview1" "no_such_call" (func (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")))"#;

/// Made for the WASI before preview 1, whose module had another name: exits with status 7.
pub const OF_ANOTHER_WASI: &str = r#"(module
    (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 7))))"#;

/// Returns nothing where it promised a number.
pub const INVALID: &str =
    r#"(module (memory (export "memory") 1) (func (export "_start")) (func (result i32)))"#;

/// Has no `_start`.
pub const LIBRARY: &str =
    r#"(module (memory (export "memory") 1) (func (export "add") (result i32) (i32.const 2)))"#;

/// A component with nothing in it.
pub const COMPONENT: &str = "(component)";

/// Writes its arguments to standard output, each ended by a NUL.
pub const PRINTS_ARGUMENTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 12)))
        (drop (call $get (i32.const 256) (i32.const 4096)))
        (i32.store (i32.const 8) (i32.const 4096))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))"#;

/// Writes its environment to standard output, each variable ended by a NUL.
pub const PRINTS_ENVIRONMENT: &str = r#"(module
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 12)))
        (drop (call $get (i32.const 256) (i32.const 4096)))
        (i32.store (i32.const 8) (i32.const 4096))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))"#;

/// Reads up to 64 bytes of standard input and writes them to standard output.
pub const ECHOES: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (i32.store (i32.const 0) (i32.const 256))
        (i32.store (i32.const 4) (i32.const 64))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;

/// Sleeps for 50 ms and exits with the error number.
pub const SLEEPS: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (i32.store (i32.const 16) (i32.const 1))
        (i64.store (i32.const 24) (i64.const 50000000))
        (call $exit (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;

/// Opens `path` in whichever of the descriptors 3 to 7 it can be opened from, following symbolic links, and exits
/// with the last one's error number (0: it is open).
///
/// Engines differ in where the directories given begin: under WASIX descriptor 3 is a root that holds them.
#[must_use]
pub fn opens(path: &str) -> String {
    let length = path.len();
    format!(
        r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 1024) "{path}")
    (func (export "_start") (local $directory i32) (local $error i32)
        (local.set $directory (i32.const 3))
        (loop $next
            (local.set $error (call $open (local.get $directory) (i32.const 1) (i32.const 1024)
                (i32.const {length}) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64)))
            (if (i32.eqz (local.get $error)) (then (call $exit (i32.const 0))))
            (local.set $directory (i32.add (local.get $directory) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $directory) (i32.const 8))))
        (call $exit (local.get $error))))"#
    )
}
