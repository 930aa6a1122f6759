//! Limits, nice value, CPUs, umask and layout of memory, as the child sets them on itself.
//!
//! Each of these is the child's own from the start, although it shares the parent's memory: without `CLONE_THREAD`
//! limits are copied, without `CLONE_FS` the umask, and the rest belongs to a task. So the launching thread keeps
//! its own. It runs where the module [`super::child`] does, under the same rules.

use std::ptr;

use crate::inherited::{Changes, ResourceLimit};
use crate::raw::syscall;

/// [`Changes`] in a form that can be used without following Rust types.
pub(super) struct Settings {
    limits: *const ResourceLimit,
    limit_count: usize,
    nice: Option<i32>,
    cpus: *const usize,
    cpu_bytes: usize,
    umask: u32,
    fixed_addresses: bool,
}

impl Settings {
    /// It points into `changes`, which must outlive its use.
    pub(super) fn of(changes: &Changes) -> Self {
        let cpus = changes.cpus.as_ref().map(|mask| mask.0.as_slice());
        Self {
            limits: changes.limits.as_ptr(),
            limit_count: changes.limits.len(),
            nice: changes.nice,
            cpus: cpus.map_or(ptr::null(), <[usize]>::as_ptr),
            cpu_bytes: cpus.map_or(0, size_of_val),
            umask: changes.umask,
            fixed_addresses: changes.fixed_addresses,
        }
    }

    /// Sets these CPUs where no others are to be set.
    pub(super) fn or_cpus(&mut self, (cpus, bytes): (*const usize, usize)) {
        if self.cpu_bytes == 0 {
            (self.cpus, self.cpu_bytes) = (cpus, bytes);
        }
    }

    /// Takes over the limits.
    ///
    /// # Safety
    ///
    /// Only in a child of the gate, while the changes it was made of live.
    pub(super) unsafe fn limit(&self) -> isize {
        const THIS_PROCESS: usize = 0;
        for index in 0..self.limit_count {
            // SAFETY: within the array that the parent keeps; the values are laid out as `struct rlimit64`.
            let result = unsafe {
                let limit = &*self.limits.add(index);
                let values = &raw const limit.values as usize;
                let args = [THIS_PROCESS, limit.resource as usize, values, 0, 0];
                syscall(libc::SYS_prlimit64, args)
            };
            if result < 0 {
                return result;
            }
        }
        0
    }

    /// Takes over the rest.
    ///
    /// # Safety
    ///
    /// As for [`Self::limit`].
    pub(super) unsafe fn set(&self) -> isize {
        const THIS_TASK: usize = 0;
        let ordinary: libc::c_int = 0; // struct sched_param, of a policy without priorities
        // SAFETY: the pointers are to as many bytes of the parent's and of this function's; the rest are numbers.
        unsafe {
            // The launching thread may be a batch thread, and a policy is inherited.
            let args = [
                THIS_TASK,
                libc::SCHED_OTHER as usize,
                &raw const ordinary as usize,
                0,
                0,
            ];
            let result = syscall(libc::SYS_sched_setscheduler, args);
            if result < 0 {
                return result;
            }
            if let Some(nice) = self.nice {
                let args = [libc::PRIO_PROCESS as usize, THIS_TASK, nice as usize, 0, 0];
                let result = syscall(libc::SYS_setpriority, args);
                if result < 0 {
                    return result;
                }
            }
            if self.cpu_bytes > 0 {
                let args = [THIS_TASK, self.cpu_bytes, self.cpus as usize, 0, 0];
                let result = syscall(libc::SYS_sched_setaffinity, args);
                if result < 0 {
                    return result;
                }
            }
            if self.fixed_addresses {
                let result = fix_addresses();
                if result < 0 {
                    return result;
                }
            }
            syscall(libc::SYS_umask, [self.umask as usize, 0, 0, 0, 0])
        }
    }
}

/// Switches randomisation of addresses off and keeps the rest of the personality.
unsafe fn fix_addresses() -> isize {
    const ASK: usize = 0xffff_ffff;
    // SAFETY: takes and returns plain numbers.
    unsafe {
        let before = syscall(libc::SYS_personality, [ASK, 0, 0, 0, 0]);
        if before < 0 {
            return before;
        }
        let fixed = before as usize | libc::ADDR_NO_RANDOMIZE as usize;
        syscall(libc::SYS_personality, [fixed, 0, 0, 0, 0])
    }
}
