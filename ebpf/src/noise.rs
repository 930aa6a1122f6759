//! What disturbed a run's root process so far: stamped on each of its events, so that the time between two of
//! them can be told apart into its own and others'.

use wbd_abi::{Event, RunState};

use crate::task::Task;

/// Stamps an event of the root process.
#[inline(always)]
pub fn stamp(state: &mut RunState, event: &mut Event) {
    let leader = Task::current_leader(event.tid == event.pid);
    note_stolen(state, leader);
    event.run_delay_ns = leader.run_delay_ns();
    event.interrupt_ns = state.interrupt_ns;
    event.stolen_ns = state.stolen_ns;
}

/// Adds what was stolen from the task's CPU since the event before. Between events on two CPUs it is not known:
/// each CPU has a clock of its own.
#[inline(always)]
fn note_stolen(state: &mut RunState, task: Task) {
    let Some((queue, stolen_ns)) = task.queue_stolen_ns() else {
        return;
    };
    if queue == state.queue {
        state.stolen_ns += stolen_ns.wrapping_sub(state.queue_stolen_ns);
    }
    state.queue = queue;
    state.queue_stolen_ns = stolen_ns;
}
