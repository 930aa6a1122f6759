//! What WasmEdge says beside its results: which import is unknown, and that it interprets after all.
//!
//! Left to itself it would say so on standard output, which is the guest's.
#![allow(unsafe_code, reason = "the messages come through a C function pointer")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmedge_sys::ffi;

/// Of one cause WasmEdge logs the error, what it concerns, and then the way through the syntax tree.
const TELLING_LINES: usize = 2;

/// How every message begins to say that machine code was wanted and is not used.
const FALLBACK: &str = "interpreter";

static WARNINGS: Mutex<Vec<Message>> = Mutex::new(Vec::new());

struct Message {
    is_error: bool,
    text: String,
}

/// From now on messages are kept here, and printed nowhere.
pub(crate) fn keep() {
    // SAFETY: the function pointed to is there as long as the program.
    unsafe { ffi::WasmEdge_LogSetCallback(Some(receive)) }
}

/// What was said of the last error, if anything was.
pub(crate) fn errors() -> Option<String> {
    let warnings = warnings();
    let errors = warnings.iter().filter(|message| message.is_error);
    let lines: Vec<&str> = errors
        .take(TELLING_LINES)
        .map(|message| message.text.as_str())
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// Why the guest is interpreted though machine code was asked for, if it is.
///
/// WasmEdge takes that for a matter of taste: its results do not tell, only a warning does.
pub(crate) fn fallback() -> Option<String> {
    let warnings = warnings();
    let told = warnings.iter().find(|message| message.text.contains(FALLBACK));
    told.map(|message| message.text.clone())
}

fn warnings() -> MutexGuard<'static, Vec<Message>> {
    WARNINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "C" fn receive(message: *const ffi::WasmEdge_LogMessage) {
    // SAFETY: WasmEdge calls this with a message that lives until it returns.
    let (level, text) = unsafe { ((*message).Level, (*message).Message) };
    if level < ffi::WasmEdge_LogLevel_Warn {
        return;
    }
    warnings().push(Message {
        is_error: level >= ffi::WasmEdge_LogLevel_Error,
        text: owned(text).trim().to_owned(),
    });
}

fn owned(text: ffi::WasmEdge_String) -> String {
    if text.Buf.is_null() {
        return String::new();
    }
    // SAFETY: the string is one of WasmEdge's, which says how long it is.
    let bytes = unsafe { std::slice::from_raw_parts(text.Buf.cast::<u8>(), text.Length as usize) };
    String::from_utf8_lossy(bytes).into_owned()
}
