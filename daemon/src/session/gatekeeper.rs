//! Frees the gate of a child that is held up in it.
//!
//! Between its making and its program a child has its caller's rights, and its caller can stop it, or have the opening of
//! the program wait. The launching thread waits for it in the kernel, past all limits of time. So somebody else looks,
//! now and then while there is work, and kills the child.

use std::time::Duration;

use wbd_linux::cgroup::Runs;
use wbd_linux::gate;

/// How often is looked. A launch that is seen twice has taken longer: a thousand times what the slowest takes.
const LOOK: Duration = Duration::from_secs(5);

/// Looks after the gate. Never ends.
pub(crate) async fn watch(runs: &Runs) {
    let mut before = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = gate::launch_in_the_gate();
        if now.is_some() && now == before {
            tracing::warn!("a program was held up for over {LOOK:?} before it began, and is ended");
            gate::note_freed();
            runs.kill_members();
        }
        before = now;
    }
}
