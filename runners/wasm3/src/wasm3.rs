//! Wasm3's embedding API, as far as a runner needs it.
//!
//! Nothing is taken down: the process ends with the guest, and what it took goes with it.
#![allow(unsafe_code, reason = "Wasm3 is a library in C")]

use std::cell::RefCell;
use std::ffi::{CStr, c_char};
use std::fmt;
use std::marker::PhantomData;
use std::ptr;

use wasm3x_sys as sys;
use wbd_runner::Failure;

use crate::host::{Function, Host};

/// Bytes of the stack on which the interpreter keeps its guest's calls and operands.
const STACK: u32 = 1 << 20;

/// The version of Wasm3 that was linked.
pub(crate) fn version() -> String {
    // The macro is a string of C.
    String::from_utf8_lossy(sys::M3_VERSION)
        .trim_end_matches('\0')
        .to_owned()
}

/// An environment with one runtime in it.
pub(crate) struct Runtime {
    environment: sys::IM3Environment,
    raw: sys::IM3Runtime,
}

impl Runtime {
    pub(crate) fn new() -> Result<Self, Failure> {
        // SAFETY: it asks for nothing.
        let environment = unsafe { sys::m3_NewEnvironment() };
        if environment.is_null() {
            return Err(Failure::no_engine("there is no memory for its environment"));
        }
        // SAFETY: the environment is made, and never freed.
        let raw = unsafe { sys::m3_NewRuntime(environment, STACK, ptr::null_mut()) };
        if raw.is_null() {
            return Err(Failure::no_engine("there is no memory for its stack"));
        }
        Ok(Self { environment, raw })
    }
}

/// What Wasm3 says of a failure.
#[derive(Debug)]
pub(crate) struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A module in a runtime. It points into the bytes it was made of and to its host.
pub(crate) struct Module<'a> {
    raw: sys::IM3Module,
    runtime: sys::IM3Runtime,
    borrowed: PhantomData<&'a ()>,
}

impl<'a> Module<'a> {
    /// Checks its structure, makes its memory and tables.
    pub(crate) fn load(runtime: &'a Runtime, bytes: &'a [u8]) -> Result<Self, Error> {
        let Runtime {
            environment,
            raw: runtime,
        } = *runtime;
        let length = u32::try_from(bytes.len()).map_err(|_| Error("it is longer than 4 GiB".to_owned()))?;
        let mut raw = ptr::null_mut();
        // SAFETY: the runtime is made, the bytes stay as long as the module; a module that was parsed may be loaded.
        unsafe {
            check(
                runtime,
                sys::m3_ParseModule(environment, &raw mut raw, bytes.as_ptr(), length),
            )?;
            check(runtime, sys::m3_LoadModule(runtime, raw))?;
        }
        Ok(Self {
            raw,
            runtime,
            borrowed: PhantomData,
        })
    }

    /// Provides an import.
    pub(crate) fn link(&self, function: &Function, host: &'a RefCell<Host>) -> Result<(), Error> {
        // SAFETY: the module is loaded, the strings are of C, the function is one that expects a host and has this
        // signature, and the host lives as long as the module.
        let result = unsafe {
            sys::m3_LinkRawFunctionEx(
                self.raw,
                Function::MODULE.as_ptr(),
                function.name.as_ptr(),
                function.signature.as_ptr(),
                Some(function.call),
                ptr::from_ref(host).cast(),
            )
        };
        check(self.runtime, result)
    }

    /// Translates every function to the interpreter's own code.
    pub(crate) fn compile(&self) -> Result<(), Error> {
        // SAFETY: the module is loaded.
        check(self.runtime, unsafe { sys::m3_CompileModule(self.raw) })
    }

    /// Calls the module's own start function, if it has one.
    pub(crate) fn run_start(&self) -> Result<(), Error> {
        // SAFETY: the module is loaded.
        check(self.runtime, unsafe { sys::m3_RunStart(self.raw) })
    }

    /// A function that takes and returns nothing.
    pub(crate) fn find(&self, name: &CStr) -> Result<Start<'_>, Error> {
        let mut raw = ptr::null_mut();
        // SAFETY: the runtime is made, the name is a string of C; what was found may be asked for its type.
        let plain = unsafe {
            check(
                self.runtime,
                sys::m3_FindFunction(&raw mut raw, self.runtime, name.as_ptr()),
            )?;
            sys::m3_GetArgCount(raw) == 0 && sys::m3_GetRetCount(raw) == 0
        };
        let start = Start { raw, module: self };
        plain
            .then_some(start)
            .ok_or_else(|| Error("its type is not () -> ()".to_owned()))
    }
}

/// A function that takes and returns nothing.
pub(crate) struct Start<'m> {
    raw: sys::IM3Function,
    module: &'m Module<'m>,
}

impl Start<'_> {
    /// Calls it; an error is the trap by which it ended.
    pub(crate) fn call(&self) -> Result<(), Error> {
        // SAFETY: the function is of a loaded module and takes no arguments.
        let result = unsafe { sys::m3_Call(self.raw, 0, ptr::null_mut()) };
        check(self.module.runtime, result)
    }
}

fn check(runtime: sys::IM3Runtime, result: sys::M3Result) -> Result<(), Error> {
    if result.is_null() {
        return Ok(());
    }
    // SAFETY: a result that is not null is a string of C that is never freed; so is a message, until the next call.
    let (what, detail) = unsafe {
        let mut info = std::mem::zeroed::<sys::M3ErrorInfo>();
        sys::m3_GetErrorInfo(runtime, &raw mut info);
        (text(result), text(info.message))
    };
    let detail = if detail.is_empty() {
        detail
    } else {
        format!(": {detail}")
    };
    Err(Error(format!("{what}{detail}")))
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
