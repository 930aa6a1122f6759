//! A run that is a process of ours: through the exec gate, watched until it and its descendants are gone.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use wbd_abi::RunState;
use wbd_linux::cgroup::CgroupError;
use wbd_linux::clock::{Suspended, monotonic_ns};
use wbd_linux::gate::{Child, Gate, LaunchError, Program, take_freed};
use wbd_linux::perf::sets::Counters;
use wbd_linux::perf::{self, CounterKind};
use wbd_linux::process::{await_end, descriptor, has_ended, kill, reap};

use super::bounds::{asleep, crowded, starved};
use super::cpu_time::{Before, Ended};
use super::observed::Observed;
use super::output::{Buffer, Printout};
use super::slot::Slot;
use super::streams::Streams;
use crate::collect::kernel::{Kernel, KernelError};
use crate::session::cancel::Cancel;

/// Bounds of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long it may take.
    pub(crate) time: Duration,
    /// How many bytes it may print.
    pub(crate) output_bytes: u64,
    /// How many bytes of memory it may have.
    pub(crate) memory_bytes: u64,
}

/// How near to its limit memory comes, in bytes, before the kernel ends anybody for it: it charges in advance.
const NEAR_BYTES: u64 = 1024 * 1024;

/// What is said of a child that was killed in the gate.
pub(super) const HELD_UP: &str =
    "was held up before its program began, by a signal or by what it takes to open the program, and ended";

/// Why a run could not even be tried: the daemon's own means failed it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeansError {
    /// Cgroups.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    /// The kernel side.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The program to launch.
    #[error("{0}")]
    Program(String),
    /// Pipes, polling, waiting.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
}

pub(super) fn system(action: &'static str) -> impl FnOnce(io::Error) -> MeansError {
    move |source| MeansError::System { action, source }
}

/// Nothing to read, and a place for what nobody wants.
pub(super) fn null() -> Result<File, MeansError> {
    let null = File::options().read(true).write(true).open("/dev/null");
    null.map_err(system("open /dev/null"))
}

/// All that launching needs, kept for the daemon's life.
pub(crate) struct Launcher {
    null: File,
    streams: Streams,
    gate: Gate,
    counters: Counters,
    buffer: Buffer,
    next_run: u64,
    /// Processes of others that are followed while a run lasts.
    followed: Vec<u32>,
}

impl Launcher {
    /// To be called before the daemon opens much else: what a target's descriptors are copied from has low numbers then,
    /// and the gate is spared the rest (see [`wbd_linux::gate`]).
    pub(crate) fn open() -> Result<Self, MeansError> {
        Ok(Self {
            null: null()?,
            streams: Streams::open().map_err(system("make a pipe"))?,
            gate: Gate::default(),
            counters: Counters::of_this_machine(),
            buffer: Buffer::default(),
            next_run: 0,
            followed: Vec::new(),
        })
    }

    /// For an experiment: pipes that no other experiment's targets have, and the counters there are now. No process of
    /// others is followed.
    pub(crate) fn begin(&mut self) -> Result<(), MeansError> {
        self.streams.renew().map_err(system("make a pipe"))?;
        self.counters = Counters::of_this_machine();
        self.followed.clear();
        Ok(())
    }

    /// Follows these processes, a container engine's, during every run from now on.
    pub(crate) fn follow(&mut self, processes: Vec<u32>) {
        self.followed = processes;
    }

    /// The counters of a container in the run whose number was given last: see [`wbd_linux::perf::sets`].
    pub(crate) fn counters(&self) -> impl Iterator<Item = &CounterKind> {
        self.counters
            .of_run(self.next_run)
            .iter()
            .chain(&self.counters.software)
    }

    /// A number for a run, no other's.
    pub(crate) fn number(&mut self) -> u64 {
        self.next_run += 1;
        self.next_run
    }

    /// Kinds of the processor's counters that this machine does not have, and why.
    pub(crate) fn missing(&self) -> &[(perf::Counted, String)] {
        &self.counters.missing
    }

    /// Launches `program`, registered like any run, and returns how long it took until it was reaped, in
    /// nanoseconds: nothing else is done meanwhile.
    pub(crate) fn life(
        &mut self,
        kernel: &mut Kernel,
        slot: &mut Slot,
        program: &Program,
    ) -> Result<u64, MeansError> {
        let number = self.number();
        let (cgroup, _) = slot.ready()?;
        kernel.register(cgroup.id(), number)?;
        let null = self.null.as_fd();
        let counters = self.counters.of_run(number);
        let begin = monotonic_ns();
        let child = self
            .gate
            .launch(program, [null; 3], cgroup.directory().as_fd(), counters)
            .map_err(|error| MeansError::Program(error.to_string()))?;
        reap(child.pid).map_err(system("wait for the target"))?;
        let life = monotonic_ns() - begin;
        kernel.unregister(cgroup.id())?;
        kernel.drain(&mut Vec::new());
        Ok(life)
    }

    /// Launches `program` and watches it to its end.
    pub(crate) fn run(
        &mut self,
        kernel: &mut Kernel,
        slot: &mut Slot,
        program: &Program,
        limits: Limits,
        cancel: &Cancel,
    ) -> Result<Observed, MeansError> {
        let number = self.number();
        let (cgroup, charged) = slot.ready()?;
        let id = cgroup.id();
        let awake = Suspended::so_far();
        kernel.register(id, number)?;
        for &process in &self.followed {
            kernel.follow(process, id)?;
        }
        let before = Before::launch(cgroup);
        let launched = self.launch(program, cgroup.directory());
        let observed = match launched {
            Ok(child) => self.watch(kernel, slot, child, limits, cancel),
            Err(refused) => Ok((Observed::not_started(refused.to_string()), Ended::default())),
        };
        if !self.followed.is_empty() {
            kernel.follow_none()?;
        }
        kernel.unregister(id)?;
        let (mut observed, ended) = observed?;
        kernel.drain(&mut observed.events);
        let state = observed.state;
        observed.cpu_ns = ended.of_all(&state, slot.current(), before);
        observed.main_thread_ns = ended.main_thread_ns;
        observed.interrupts_seen = kernel.no_interrupts().is_none();
        observed.switches_seen = kernel.sees_switches();
        let memory = slot.current().and_then(|cgroup| cgroup.memory());
        let peak = memory.and_then(|memory| memory.peak()).and_then(Result::ok);
        observed.memory_peak = peak.map(|peak| peak.saturating_sub(charged));
        if peak.is_some_and(|peak| peak.saturating_add(NEAR_BYTES) >= limits.memory_bytes) {
            observed
                .faults
                .splice(0..0, slot.current().and_then(|cgroup| starved(cgroup, limits)));
        }
        observed
            .faults
            .splice(0..0, slot.current().and_then(|cgroup| crowded(cgroup, state)));
        observed.faults.extend(asleep(awake));
        Ok(observed)
    }

    fn launch(&mut self, program: &Program, cgroup: &File) -> Result<Child, LaunchError> {
        let Streams { out, err } = &self.streams;
        let stdio = [self.null.as_fd(), out.writer(), err.writer()];
        let counters = self.counters.of_run(self.next_run);
        self.gate.launch(program, stdio, cgroup.as_fd(), counters)
    }

    /// Waits for the end of the process, then of its descendants, and reads its counters and its clock.
    fn watch(
        &mut self,
        kernel: &mut Kernel,
        slot: &Slot,
        child: Child,
        limits: Limits,
        cancel: &Cancel,
    ) -> Result<(Observed, Ended), MeansError> {
        let mut observed = Observed {
            root: child.pid.as_raw().cast_unsigned(),
            ..Observed::default()
        };
        // What does nothing has ended by now: the CPU was its own until it did.
        if !has_ended(child.pid).map_err(system("wait for the target"))? {
            self.see_to_its_end(kernel, slot, child.pid, limits, cancel, &mut observed)?;
        }
        observed.state = state(kernel, slot)?;
        let used = Ended::read(&child, &observed.state);
        observed.ended = Some(reap(child.pid).map_err(system("wait for the target"))?);
        if take_freed() {
            observed.faults.push(HELD_UP.to_owned());
        }
        if observed.state.forks + observed.state.lost > 0 {
            end_descendants(slot, &mut observed)?;
            observed.state = state(kernel, slot)?;
        }
        self.read_counters(child.counters, &mut observed);
        let Self { streams, buffer, .. } = self;
        let printed = streams
            .finish(buffer)
            .map_err(system("read the target's output"))?;
        Printout::report(&printed[0], &printed[1], &mut observed);
        Ok((observed, used))
    }

    /// Waits until the process has ended, and ends it with all in its cgroup where it breaks a limit.
    fn see_to_its_end(
        &mut self,
        kernel: &mut Kernel,
        slot: &Slot,
        child: Pid,
        limits: Limits,
        cancel: &Cancel,
        observed: &mut Observed,
    ) -> Result<(), MeansError> {
        let descriptor = descriptor(child).map_err(system("wait for the target"))?;
        if !self.wait(kernel, &descriptor, limits, cancel, observed)? {
            end_all(slot)?;
            kill(&descriptor); // root's target may have left its cgroup
            await_end(child).map_err(system("wait for the target"))?;
        }
        Ok(())
    }

    /// Waits until the process has ended; false where it broke a limit instead.
    fn wait(
        &mut self,
        kernel: &mut Kernel,
        descriptor: &OwnedFd,
        limits: Limits,
        cancel: &Cancel,
        observed: &mut Observed,
    ) -> Result<bool, MeansError> {
        let deadline = Instant::now() + limits.time;
        let Self { streams, buffer, .. } = self;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = streams
                .poll(descriptor, kernel, cancel, left)
                .map_err(system("wait for the target"))?;
            if ready.ring {
                kernel.drain(&mut observed.events);
            }
            streams
                .read(ready, buffer)
                .map_err(system("read the target's output"))?;
            if ready.ended {
                return Ok(true);
            }
            if ready.cancelled {
                observed.faults.push("was ended with its experiment".to_owned());
                return Ok(false);
            }
            if let Some(broken) = limit_broken(limits, deadline, streams) {
                observed.faults.push(broken);
                return Ok(false);
            }
        }
    }

    fn read_counters(&self, counters: Vec<io::Result<OwnedFd>>, observed: &mut Observed) {
        for (kind, counter) in self.counters.of_run(self.next_run).iter().zip(counters) {
            match counter.and_then(perf::read) {
                Ok(reading) => observed.counters.push((kind.counted, reading)),
                Err(error) => observed
                    .notes
                    .push(format!("{:?} could not be counted: {error}", kind.counted)),
            }
        }
    }
}

fn limit_broken(limits: Limits, deadline: Instant, streams: &Streams) -> Option<String> {
    if streams.out.printout.bytes() + streams.err.printout.bytes() > limits.output_bytes {
        return Some(format!(
            "printed more than {} bytes and was ended",
            limits.output_bytes
        ));
    }
    (Instant::now() >= deadline).then(|| {
        format!(
            "was still running after {} s and was ended",
            limits.time.as_secs_f64()
        )
    })
}

/// What the kernel side counted of the present run.
fn state(kernel: &Kernel, slot: &Slot) -> Result<RunState, KernelError> {
    let cgroup = slot.current();
    cgroup.map_or(Ok(RunState::default()), |cgroup| kernel.state(cgroup.id()))
}

pub(super) fn end_all(slot: &Slot) -> Result<(), CgroupError> {
    slot.current().map_or(Ok(()), |cgroup| cgroup.kill())
}

/// Ends processes that outlived the target, and notes that there were some.
fn end_descendants(slot: &Slot, observed: &mut Observed) -> Result<(), CgroupError> {
    let Some(cgroup) = slot
        .current()
        .filter(|cgroup| cgroup.is_populated().unwrap_or(true))
    else {
        return Ok(());
    };
    let left = cgroup.processes().len();
    cgroup.kill()?;
    if left > 0 {
        let them = if left == 1 {
            "1 process"
        } else {
            &format!("{left} processes")
        };
        observed
            .notes
            .push(format!("left {them} running, ended after it"));
    }
    Ok(())
}
