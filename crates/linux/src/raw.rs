//! System calls without a C library, for a child that shares its parent's memory.
//!
//! The C library's wrappers write `errno`, which such a child shares with its parent's thread.

use std::arch::asm;

/// Makes a system call; a negative result is an error number.
///
/// # Safety
///
/// As for the system call itself: its pointers must be valid for what it does with them.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) unsafe fn syscall(number: i64, args: [usize; 5]) -> isize {
    let result: isize;
    // SAFETY: the kernel's calling convention; rcx and r11 are all it clobbers beside memory.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result,
             in("rdi") args[0], in("rsi") args[1], in("rdx") args[2], in("r10") args[3], in("r8") args[4],
             lateout("rcx") _, lateout("r11") _);
    }
    result
}

/// Makes a system call; a negative result is an error number.
///
/// # Safety
///
/// As for the system call itself: its pointers must be valid for what it does with them.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(crate) unsafe fn syscall(number: i64, args: [usize; 5]) -> isize {
    let result: isize;
    // SAFETY: the kernel's calling convention; it preserves all other registers.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") args[0] => result,
             in("x1") args[1], in("x2") args[2], in("x3") args[3], in("x4") args[4]);
    }
    result
}

/// Clones the calling thread into a child that runs `entry(arg)` on the stack named in `args`.
///
/// Returns the child's process id, or a negative error number.
///
/// # Safety
///
/// `args` must be valid for `clone3` and name a stack of the child's own; with `CLONE_VM` everything `entry`
/// touches must stay valid while the child uses it. `entry` must not return.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn clone3(
    args: &libc::clone_args,
    entry: extern "C" fn(*mut libc::c_void) -> !,
    arg: *mut libc::c_void,
) -> isize {
    let result: isize;
    // SAFETY: in the parent this is a plain system call. The child starts behind it with the new stack,
    // whose top is aligned to 16 bytes as the ABI wants before a call, and leaves through `entry`.
    unsafe {
        asm!("syscall",
             "test rax, rax",
             "jnz 2f",
             "xor ebp, ebp",
             "mov rdi, r12",
             "call r13",
             "ud2",
             "2:",
             inlateout("rax") libc::SYS_clone3 as isize => result,
             in("rdi") args, in("rsi") size_of::<libc::clone_args>(),
             in("r12") arg, in("r13") entry,
             lateout("rcx") _, lateout("r11") _);
    }
    result
}

/// Clones the calling thread into a child that runs `entry(arg)` on the stack named in `args`.
///
/// Returns the child's process id, or a negative error number.
///
/// # Safety
///
/// `args` must be valid for `clone3` and name a stack of the child's own; with `CLONE_VM` everything `entry`
/// touches must stay valid while the child uses it. `entry` must not return.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn clone3(
    args: &libc::clone_args,
    entry: extern "C" fn(*mut libc::c_void) -> !,
    arg: *mut libc::c_void,
) -> isize {
    let result: isize;
    // SAFETY: in the parent this is a plain system call. The child starts behind it with the new stack,
    // aligned to 16 bytes as the ABI wants, and leaves through `entry`.
    unsafe {
        asm!("svc 0",
             "cbnz x0, 2f",
             "mov x29, xzr",
             "mov x0, x12",
             "blr x13",
             "brk 1",
             "2:",
             in("x8") libc::SYS_clone3,
             inlateout("x0") args as *const libc::clone_args as usize => result,
             in("x1") size_of::<libc::clone_args>(),
             in("x12") arg, in("x13") entry, lateout("x30") _);
    }
    result
}
