//! The clock's looks at every CPU, taken out of the kernel by a thread of their own while a run lasts.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use wbd_linux::gate::leave_seat;
use wbd_linux::sampling::{Sampling, Seen};

/// Between two looks at one CPU, in nanoseconds. An odd number keeps step with nothing that a program does.
pub(crate) const PERIOD_NS: u64 = 499_979;
/// How often what waits is taken: a CPU that is looked at so often fills its memory in some seconds.
const TAKE_EVERY: Duration = Duration::from_millis(100);

/// The looks of a run under way.
pub(crate) struct Looks {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Seen>>,
}

impl Looks {
    /// Begins to look.
    pub(crate) fn begin() -> io::Result<Self> {
        let mut sampling = Sampling::start(PERIOD_NS)?;
        let done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&done);
        let take = move || {
            let mut seen = Vec::new();
            while !flag.load(Ordering::Acquire) {
                std::thread::park_timeout(TAKE_EVERY);
                sampling.drain(&mut seen);
            }
            sampling.drain(&mut seen);
            seen
        };
        leave_seat(); // or the thread would look from the CPU that is looked at most
        let thread = Builder::new().name("wbd-looks".to_owned()).spawn(take)?;
        Ok(Self { done, thread })
    }

    /// Ends looking; all that was seen, of every process of the machine.
    pub(crate) fn end(self) -> Vec<Seen> {
        self.done.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().unwrap_or_default()
    }
}
