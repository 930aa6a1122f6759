//! Signals that this process ignores: a child would go on ignoring them.

use std::mem::MaybeUninit;
use std::ptr;

/// A set of signals, one bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signals(u64);

impl Signals {
    /// Those that are ignored now.
    pub(super) fn ignored() -> Self {
        let ignored = (1..=64).filter(|&signal| is_ignored(signal));
        Self(ignored.fold(0, |signals, signal| signals | 1 << (signal - 1)))
    }

    /// Each signal of the set.
    pub(super) fn each(self) -> impl Iterator<Item = libc::c_int> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let signal = (left != 0).then(|| left.trailing_zeros() as libc::c_int + 1);
            left &= left.wrapping_sub(1);
            signal
        })
    }
}

/// Those that the C library keeps for itself it does not tell about: it never ignores them.
fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: asks and changes nothing; the structure is written whole where the call succeeds, and read only then.
    unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_of_a_set_is_told_once() {
        let signals = Signals(1 | 1 << 12 | 1 << 63);
        assert_eq!(signals.each().collect::<Vec<_>>(), [1, 13, 64]);
        assert_eq!(Signals::default().each().next(), None);
    }

    #[test]
    fn a_rust_program_ignores_broken_pipes() {
        assert!(Signals::ignored().each().any(|signal| signal == libc::SIGPIPE));
    }
}
