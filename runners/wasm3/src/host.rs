//! WASI preview 1 for Wasm3: that of wasi-common, function by function.
//!
//! Wasm3 has a WASI of its own, which is not used. It opens the working directory for every guest, lets a path lead
//! anywhere, and takes a guest's descriptor for the process's own; it has no environment and cannot wait.
#![allow(unsafe_code, reason = "Wasm3 calls its host by the conventions of C")]

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasi_common::WasiCtx;
use wasi_common::snapshots::preview_1::wasi_snapshot_preview1 as preview1;
use wasm3x_sys as sys;
use wasmparser::{Import, TypeRef};
use wbd_runner::Ending;
use wiggle::GuestMemory;

/// What host functions share.
pub(crate) struct Host {
    wasi: WasiCtx,
    /// How the guest ended, where a host function ended it.
    pub(crate) ending: Option<Ending>,
}

impl Host {
    pub(crate) fn new(wasi: WasiCtx) -> Self {
        Self { wasi, ending: None }
    }
}

/// A function that a module can import.
pub(crate) struct Function {
    /// Its name within [`Self::MODULE`].
    pub(crate) name: &'static CStr,
    /// Its parameters and result, as Wasm3 writes them.
    pub(crate) signature: &'static CStr,
    /// Its code. It expects a `RefCell<Host>` as its user data.
    pub(crate) call: Call,
}

type Call =
    unsafe extern "C" fn(sys::IM3Runtime, sys::IM3ImportContext, *mut u64, *mut c_void) -> *const c_void;

impl Function {
    /// What all of them are imported from.
    pub(crate) const MODULE: &'static CStr = c"wasi_snapshot_preview1";
}

/// What provides this import.
pub(crate) fn find(import: &Import<'_>) -> Option<&'static Function> {
    let is_function = matches!(import.ty, TypeRef::Func(_));
    let candidate = is_function && import.module.as_bytes() == Function::MODULE.to_bytes();
    let mut functions = FUNCTIONS.iter().filter(|_| candidate);
    functions.find(|function| function.name.to_bytes() == import.name.as_bytes())
}

/// The slots in which Wasm3 passes the result and the arguments, 64 bits each.
struct Slots(*mut u64);

/// A type of an argument.
trait Argument {
    fn of(slot: u64) -> Self;
}

impl Argument for i32 {
    fn of(slot: u64) -> Self {
        slot as Self
    }
}

impl Argument for i64 {
    fn of(slot: u64) -> Self {
        slot.cast_signed()
    }
}

impl Slots {
    /// # Safety
    ///
    /// There is an argument left.
    unsafe fn next<T: Argument>(&mut self) -> T {
        // SAFETY: the caller's promise.
        unsafe {
            let slot = *self.0;
            self.0 = self.0.add(1);
            T::of(slot)
        }
    }
}

/// Runs `function` on the host and the guest's memory, and leaves its result in `result`.
///
/// # Safety
///
/// Wasm3 calls: `runtime` is the one that runs, `context` that of a function linked with a `RefCell<Host>`, and
/// `result` is a slot.
unsafe fn serve(
    runtime: sys::IM3Runtime,
    context: sys::IM3ImportContext,
    result: *mut u64,
    function: impl AsyncFnOnce(&mut WasiCtx, &mut GuestMemory<'_>) -> wiggle::anyhow::Result<i32>,
) -> *const c_void {
    // SAFETY: the caller's promise. The memory neither moves nor is seen by others while its guest waits for us.
    let (host, memory) = unsafe {
        let mut length = 0;
        let start = sys::m3_GetMemory(runtime, &raw mut length, 0);
        let memory = match start.is_null() {
            true => &mut [],
            false => std::slice::from_raw_parts_mut(start, length as usize),
        };
        (&*(*context).userdata.cast::<RefCell<Host>>(), memory)
    };
    let host = &mut *host.borrow_mut();
    match at_once(function(&mut host.wasi, &mut GuestMemory::Unshared(memory))) {
        Ok(errno) => {
            // SAFETY: the caller's promise; Wasm3 reads the lower half.
            unsafe { *result = u64::from(errno.cast_unsigned()) };
            std::ptr::null()
        }
        Err(trap) => {
            host.ending = Some(Ending::Trapped(format!("{trap:#}")));
            // SAFETY: a constant of the library.
            unsafe { sys::m3Err_trapAbort.cast() }
        }
    }
}

/// Files and clocks that block make futures that are ready at once.
fn at_once<T>(future: impl Future<Output = wiggle::anyhow::Result<T>>) -> wiggle::anyhow::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(wiggle::anyhow::anyhow!("the host function would wait for ever")),
    }
}

/// Ends the guest with a status.
unsafe extern "C" fn proc_exit(
    _: sys::IM3Runtime,
    context: sys::IM3ImportContext,
    slots: *mut u64,
    _: *mut c_void,
) -> *const c_void {
    // SAFETY: as in `serve`; a function without result has its one argument in the first slot.
    unsafe {
        let host = &*(*context).userdata.cast::<RefCell<Host>>();
        host.borrow_mut().ending = Some(Ending::Exited(Slots(slots).next()));
        sys::m3Err_trapExit.cast()
    }
}

macro_rules! letter {
    (i32) => {
        "i"
    };
    (i64) => {
        "I"
    };
}

macro_rules! c_str {
    ($($part:expr),+) => {
        match CStr::from_bytes_with_nul(concat!($($part,)+ "\0").as_bytes()) {
            Ok(string) => string,
            Err(_) => panic!("a NUL within"),
        }
    };
}

/// `proc_exit`, and for each line a function that takes its arguments from the slots behind that of its result.
macro_rules! functions {
    ($($name:ident($($argument:ident: $type:ident),*);)+) => {
        const FUNCTIONS: &[Function] = &[
            Function { name: c"proc_exit", signature: c"v(i)", call: proc_exit },
            $(Function {
                name: c_str!(stringify!($name)),
                signature: c_str!("i(", $(letter!($type),)* ")"),
                call: $name,
            },)+
        ];
        $(#[allow(unused_mut, unused_variables, reason = "one function has no arguments")]
        unsafe extern "C" fn $name(
            runtime: sys::IM3Runtime,
            context: sys::IM3ImportContext,
            result: *mut u64,
            _: *mut c_void,
        ) -> *const c_void {
            // SAFETY: Wasm3 calls, having compared the import's type with the signature above.
            unsafe {
                let mut slots = Slots(result.add(1));
                $(let $argument: $type = slots.next();)*
                serve(runtime, context, result, async |wasi, memory| {
                    preview1::$name(wasi, memory, $($argument),*).await
                })
            }
        })+
    };
}

functions! {
    args_get(argv: i32, buffer: i32);
    args_sizes_get(count: i32, size: i32);
    environ_get(environ: i32, buffer: i32);
    environ_sizes_get(count: i32, size: i32);
    clock_res_get(clock: i32, resolution: i32);
    clock_time_get(clock: i32, precision: i64, time: i32);
    fd_advise(fd: i32, offset: i64, length: i64, advice: i32);
    fd_allocate(fd: i32, offset: i64, length: i64);
    fd_close(fd: i32);
    fd_datasync(fd: i32);
    fd_fdstat_get(fd: i32, stat: i32);
    fd_fdstat_set_flags(fd: i32, flags: i32);
    fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64);
    fd_filestat_get(fd: i32, stat: i32);
    fd_filestat_set_size(fd: i32, size: i64);
    fd_filestat_set_times(fd: i32, access: i64, modification: i64, flags: i32);
    fd_pread(fd: i32, vectors: i32, count: i32, offset: i64, read: i32);
    fd_prestat_get(fd: i32, stat: i32);
    fd_prestat_dir_name(fd: i32, path: i32, length: i32);
    fd_pwrite(fd: i32, vectors: i32, count: i32, offset: i64, written: i32);
    fd_read(fd: i32, vectors: i32, count: i32, read: i32);
    fd_readdir(fd: i32, buffer: i32, length: i32, cookie: i64, used: i32);
    fd_renumber(fd: i32, to: i32);
    fd_seek(fd: i32, offset: i64, whence: i32, position: i32);
    fd_sync(fd: i32);
    fd_tell(fd: i32, position: i32);
    fd_write(fd: i32, vectors: i32, count: i32, written: i32);
    path_create_directory(fd: i32, path: i32, length: i32);
    path_filestat_get(fd: i32, flags: i32, path: i32, length: i32, stat: i32);
    path_filestat_set_times(fd: i32, flags: i32, path: i32, length: i32, access: i64, modification: i64, which: i32);
    path_link(old_fd: i32, flags: i32, old: i32, old_length: i32, fd: i32, path: i32, length: i32);
    path_open(
        fd: i32, lookup: i32, path: i32, length: i32, how: i32, base: i64, inheriting: i64, flags: i32, opened: i32
    );
    path_readlink(fd: i32, path: i32, length: i32, buffer: i32, size: i32, used: i32);
    path_remove_directory(fd: i32, path: i32, length: i32);
    path_rename(fd: i32, path: i32, length: i32, new_fd: i32, new_path: i32, new_length: i32);
    path_symlink(target: i32, target_length: i32, fd: i32, path: i32, length: i32);
    path_unlink_file(fd: i32, path: i32, length: i32);
    poll_oneoff(subscriptions: i32, events: i32, count: i32, happened: i32);
    proc_raise(signal: i32);
    sched_yield();
    random_get(buffer: i32, length: i32);
    sock_accept(fd: i32, flags: i32, accepted: i32);
    sock_recv(fd: i32, vectors: i32, count: i32, flags: i32, length: i32, result_flags: i32);
    sock_send(fd: i32, vectors: i32, count: i32, flags: i32, length: i32);
    sock_shutdown(fd: i32, how: i32);
}
