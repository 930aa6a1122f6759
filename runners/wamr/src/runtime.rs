//! WAMR's embedding API, as far as a runner needs it.
//!
//! Nothing is taken down: the process ends with the guest, and what it took goes with it.
#![allow(unsafe_code, reason = "WAMR is a library in C")]

use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::ptr;

use wamrx_sys as sys;
use wbd_runner::Failure;

use crate::wasi::Wasi;

/// Bytes of the stack on which the interpreter keeps its guest's calls and operands.
const STACK: u32 = 64 << 10;

/// Bytes for what WAMR says of an error.
const MESSAGE: usize = 256;

/// The version of WAMR that was linked.
pub(crate) fn version() -> String {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: it writes to three numbers that are there.
    unsafe { sys::wasm_runtime_get_version(&raw mut major, &raw mut minor, &raw mut patch) };
    format!("{major}.{minor}.{patch}")
}

/// WAMR, initialised. There is one in a process.
pub(crate) struct Runtime(());

impl Runtime {
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut arguments = sys::RuntimeInitArgs {
            mem_alloc_type: sys::Alloc_With_System_Allocator,
            ..Default::default()
        };
        // SAFETY: the arguments are whole; null pointers and zeros in them stand for what is not used.
        if !unsafe { sys::wasm_runtime_full_init(&raw mut arguments) } {
            return Err(Failure::no_engine("its initialisation failed"));
        }
        // It would log to standard output, which is the guest's.
        // SAFETY: the runtime is initialised, the level one of its own.
        unsafe { sys::wasm_runtime_set_log_level(sys::WASM_LOG_LEVEL_FATAL) };
        Ok(Self(()))
    }
}

/// A module, checked and translated.
pub(crate) struct Module<'r> {
    raw: sys::wasm_module_t,
    /// WAMR changes these and points into them.
    _bytes: Vec<u8>,
    runtime: PhantomData<&'r Runtime>,
}

impl<'r> Module<'r> {
    pub(crate) fn load(_: &'r Runtime, mut bytes: Vec<u8>) -> Result<Self, String> {
        let length = u32::try_from(bytes.len()).map_err(|_| "it is longer than 4 GiB")?;
        let start = bytes.as_mut_ptr();
        // SAFETY: the bytes are there and stay where they are, in a vector that goes with the module.
        let raw =
            with_message(|message, size| unsafe { sys::wasm_runtime_load(start, length, message, size) })?;
        Ok(Self {
            raw,
            _bytes: bytes,
            runtime: PhantomData,
        })
    }

    /// An import that WAMR has nothing for. It would be a trap only when called.
    pub(crate) fn unlinked(&self) -> Option<String> {
        // SAFETY: the module is loaded.
        let count = unsafe { sys::wasm_runtime_get_import_count(self.raw) };
        (0..count).find_map(|index| {
            let mut import = sys::wasm_import_t::default();
            // SAFETY: the index is in range; the names written are the module's own.
            let (module, name) = unsafe {
                sys::wasm_runtime_get_import_type(self.raw, index, &raw mut import);
                (text(import.module_name), text(import.name))
            };
            (!import.linked).then(|| format!("{module}::{name}"))
        })
    }

    /// Makes memory and tables, opens directories, calls the module's own start function.
    pub(crate) fn instantiate(&self, mut wasi: Wasi) -> Result<Instance<'_>, String> {
        // SAFETY: the lists are as long as is said, and live until the instance has copied them, below.
        unsafe {
            sys::wasm_runtime_set_wasi_args(
                self.raw,
                ptr::null_mut(),
                0,
                wasi.directories.as_mut_ptr(),
                wasi.directories.len(),
                wasi.environment.as_mut_ptr(),
                wasi.environment.len(),
                wasi.arguments.as_mut_ptr().cast::<*mut c_char>(),
                wasi.arguments.len().cast_signed(),
            );
        }
        // SAFETY: the module is loaded.
        let raw = with_message(|message, size| unsafe {
            sys::wasm_runtime_instantiate(self.raw, STACK, 0, message, size)
        })?;
        // SAFETY: the instance is made.
        let environment = unsafe { sys::wasm_runtime_create_exec_env(raw, STACK) };
        if environment.is_null() {
            return Err("there is no memory for its stack".to_owned());
        }
        Ok(Instance {
            raw,
            environment,
            module: PhantomData,
        })
    }
}

/// A module in memory.
pub(crate) struct Instance<'m> {
    raw: sys::wasm_module_inst_t,
    environment: sys::wasm_exec_env_t,
    module: PhantomData<&'m ()>,
}

/// A function that takes and returns nothing.
#[derive(Clone, Copy)]
pub(crate) struct Function(sys::wasm_function_inst_t);

impl Instance<'_> {
    /// `_start`.
    pub(crate) fn start(&self) -> Option<Function> {
        // SAFETY: the instance is made, the name is a string of C, and the function found is the instance's.
        unsafe {
            let raw = sys::wasm_runtime_lookup_function(self.raw, c"_start".as_ptr());
            let plain = !raw.is_null()
                && sys::wasm_func_get_param_count(raw, self.raw) == 0
                && sys::wasm_func_get_result_count(raw, self.raw) == 0;
            plain.then_some(Function(raw))
        }
    }

    /// Calls it; an error is the trap by which it ended.
    pub(crate) fn call(&self, function: Function) -> Result<(), String> {
        // SAFETY: the function is this instance's and has no parameters; the trap's text is the instance's.
        unsafe {
            if sys::wasm_runtime_call_wasm(self.environment, function.0, 0, ptr::null_mut()) {
                return Ok(());
            }
            Err(text(sys::wasm_runtime_get_exception(self.raw)))
        }
    }

    /// What the guest gave `proc_exit`.
    pub(crate) fn exit_status(&self) -> i32 {
        // SAFETY: the instance is made.
        unsafe { sys::wasm_runtime_get_wasi_exit_code(self.raw) }.cast_signed()
    }
}

/// What `make` returned, or where that is null, the message it wrote.
fn with_message<T>(make: impl FnOnce(*mut c_char, u32) -> *mut T) -> Result<*mut T, String> {
    let mut message: [c_char; MESSAGE] = [0; MESSAGE];
    let made = make(message.as_mut_ptr(), MESSAGE as u32);
    if made.is_null() {
        // SAFETY: WAMR ends what it writes by a NUL, and wrote into zeros if it wrote at all.
        return Err(unsafe { text(message.as_ptr()) });
    }
    Ok(made)
}

/// # Safety
///
/// The pointer is null or that of a string of C.
unsafe fn text(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}
