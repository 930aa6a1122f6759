//! WasmEdge's virtual machine: module, instance, call.
//!
//! It is used through the C API, since the SDK for Rust has no such thing: its own `Vm` is made of other parts, none
//! of which compiles, and under `RunMode::Jit` it interprets without a word. A virtual machine is never taken down:
//! the process ends instead.
#![allow(unsafe_code, reason = "the engine is a C library")]

use std::ffi::{CStr, CString, c_char};

use wasmedge_sys::ffi;
use wbd_runner::Mode;

use crate::log;

/// The high byte of a result's code, where it was the guest that could not go on.
const EXECUTION: u32 = 0x04;

/// Where a guest begins.
const START: &str = "_start";

/// What a guest of WASI gets.
pub(crate) struct Wasi {
    /// Its own name and its arguments.
    pub(crate) arguments: Vec<CString>,
    /// Variables as `NAME=VALUE`.
    pub(crate) environment: Vec<CString>,
    /// Directories as `GUEST:HOST`.
    pub(crate) preopens: Vec<CString>,
}

/// How a call came back that may have run the guest's code.
pub(crate) enum Progress {
    /// It did what it was for.
    Done,
    /// The guest asked to end, with this status.
    Exited(i32),
}

/// Why WasmEdge did not do what it was asked to, in its words.
pub(crate) enum Error {
    /// The guest's code cannot go on.
    Trap(String),
    /// Anything else.
    Refused(String),
}

impl Error {
    /// The words.
    pub(crate) fn into_text(self) -> String {
        let (Self::Trap(text) | Self::Refused(text)) = self;
        text
    }
}

/// A virtual machine for one module.
pub(crate) struct Vm(*mut ffi::WasmEdge_VMContext);

impl Vm {
    /// With WASI and all that WasmEdge sets by default. None: there is no memory left.
    pub(crate) fn new(mode: Mode) -> Option<Self> {
        // SAFETY: the configuration is made, used and deleted here; the machine keeps a copy.
        let context = unsafe {
            let configuration = ffi::WasmEdge_ConfigureCreate();
            ffi::WasmEdge_ConfigureSetRunMode(configuration, run_mode(mode));
            ffi::WasmEdge_ConfigureAddHostRegistration(configuration, ffi::WasmEdge_HostRegistration_Wasi);
            let context = ffi::WasmEdge_VMCreate(configuration, std::ptr::null_mut());
            ffi::WasmEdge_ConfigureDelete(configuration);
            context
        };
        (!context.is_null()).then_some(Self(context))
    }

    /// Reads a module from its bytes.
    pub(crate) fn load_module(&self, bytes: &[u8]) -> Result<(), Error> {
        // SAFETY: the machine lives; the bytes are copied before they are dropped, and not written to.
        let result = unsafe {
            let copy =
                ffi::WasmEdge_BytesCreate(bytes.as_ptr(), u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            let result = ffi::WasmEdge_VMLoadWasmFromBytes(self.0, copy);
            ffi::WasmEdge_BytesDelete(copy);
            result
        };
        self.done(result)
    }

    /// Maps machine code from a file; by a path with a slash, or it is looked for among the system's libraries.
    pub(crate) fn load_code(&self, path: &CStr) -> Result<(), Error> {
        // SAFETY: the machine lives, the path ends with a NUL.
        self.done(unsafe { ffi::WasmEdge_VMLoadWasmFromFile(self.0, path.as_ptr()) })
    }

    /// Validates what was loaded.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        // SAFETY: the machine lives.
        self.done(unsafe { ffi::WasmEdge_VMValidate(self.0) })
    }

    /// Says what the guest gets.
    pub(crate) fn give(&self, wasi: &Wasi) -> Result<(), Error> {
        let [arguments, environment, preopens] =
            [&wasi.arguments, &wasi.environment, &wasi.preopens].map(|list| pointers(list));
        // SAFETY: the lists are as long as said, their strings end with a NUL, and WasmEdge copies them.
        unsafe {
            ffi::WasmEdge_ModuleInstanceInitWASI(
                self.wasi(),
                arguments.as_ptr(),
                length(&arguments),
                environment.as_ptr(),
                length(&environment),
                preopens.as_ptr(),
                length(&preopens),
            );
        }
        log::errors().map_or(Ok(()), |text| Err(Error::Refused(text)))
    }

    /// Links and instantiates what was validated; in [`Mode::Jit`] it is compiled first.
    pub(crate) fn instantiate(&self) -> Result<Progress, Error> {
        // SAFETY: the machine lives.
        self.progress(unsafe { ffi::WasmEdge_VMInstantiate(self.0) })
    }

    /// Whether the instance has a start function of the type that WASI asks for.
    pub(crate) fn has_start(&self) -> bool {
        // SAFETY: the machine lives; the type is the instance's and not kept.
        unsafe {
            let of = ffi::WasmEdge_VMGetFunctionType(self.0, string(START));
            !of.is_null()
                && ffi::WasmEdge_FunctionTypeGetParametersLength(of) == 0
                && ffi::WasmEdge_FunctionTypeGetReturnsLength(of) == 0
        }
    }

    /// Calls the start function on this very thread.
    pub(crate) fn start(&self) -> Result<Progress, Error> {
        // SAFETY: the machine lives; a function without parameters and results reads and writes neither list.
        let result = unsafe {
            ffi::WasmEdge_VMExecute(
                self.0,
                string(START),
                std::ptr::null(),
                0,
                std::ptr::null_mut(),
                0,
            )
        };
        self.progress(result)
    }

    fn wasi(&self) -> *mut ffi::WasmEdge_ModuleInstanceContext {
        // SAFETY: the machine lives, and was made with this host module.
        unsafe { ffi::WasmEdge_VMGetImportModuleContext(self.0, ffi::WasmEdge_HostRegistration_Wasi) }
    }

    fn done(&self, result: ffi::WasmEdge_Result) -> Result<(), Error> {
        self.progress(result).map(|_| ())
    }

    fn progress(&self, result: ffi::WasmEdge_Result) -> Result<Progress, Error> {
        // SAFETY: a result is a number; the message of each is a constant of the library.
        let (code, message) = unsafe {
            let message = CStr::from_ptr(ffi::WasmEdge_ResultGetMessage(result));
            (ffi::WasmEdge_ResultGetCode(result), message)
        };
        match code {
            ffi::WasmEdge_ErrCode_Success => Ok(Progress::Done),
            ffi::WasmEdge_ErrCode_Terminated => Ok(Progress::Exited(self.exit_status())),
            _ => Err(error(code, message)),
        }
    }

    fn exit_status(&self) -> i32 {
        // SAFETY: the machine and so its host module live.
        unsafe { ffi::WasmEdge_ModuleInstanceWASIGetExitCode(self.wasi()) }.cast_signed()
    }
}

fn error(code: u32, message: &CStr) -> Error {
    let text = log::errors().unwrap_or_else(|| message.to_string_lossy().into_owned());
    if code >> 8 == EXECUTION {
        Error::Trap(text)
    } else {
        Error::Refused(text)
    }
}

const fn run_mode(mode: Mode) -> ffi::WasmEdge_RunMode {
    match mode {
        Mode::Interp => ffi::WasmEdge_RunMode_Interpreter,
        Mode::Jit => ffi::WasmEdge_RunMode_JIT,
        Mode::Aot => ffi::WasmEdge_RunMode_AOT,
    }
}

fn string(text: &'static str) -> ffi::WasmEdge_String {
    // SAFETY: the text lives as long as the program.
    unsafe { ffi::WasmEdge_StringWrap(text.as_ptr().cast(), text.len() as u32) }
}

fn pointers(list: &[CString]) -> Vec<*const c_char> {
    list.iter().map(|string| string.as_ptr()).collect()
}

/// The kernel itself hands over fewer than 2^31 arguments.
fn length(list: &[*const c_char]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}
