//! System calls by number, of this machine's architecture.

use syscalls::Sysno;

/// The name of the system call with this number; the number itself where it has none.
#[must_use]
pub fn name(number: u32) -> String {
    Sysno::new(number as usize).map_or_else(|| format!("system call {number}"), |call| call.name().to_owned())
}

/// The numbers of `execve` and `execveat`.
pub const EXECVE: [u32; 2] = [libc::SYS_execve as u32, libc::SYS_execveat as u32];

/// The numbers of `exit` and `exit_group`.
pub const EXIT: [u32; 2] = [libc::SYS_exit as u32, libc::SYS_exit_group as u32];

/// The number of `sched_yield`.
pub const SCHED_YIELD: u32 = libc::SYS_sched_yield as u32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_names() {
        assert_eq!(name(libc::SYS_write as u32), "write");
        assert_eq!(name(EXIT[1]), "exit_group");
        assert_eq!(name(4_000_000_000), "system call 4000000000");
    }
}
