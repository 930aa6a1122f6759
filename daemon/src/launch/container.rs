//! A run that is a container: made, started and waited for through the engine, watched from the kernel.

use std::time::{Duration, Instant};

use wbd_linux::clock::{Suspended, monotonic_ns};
use wbd_linux::gate::Identity;
use wbd_linux::offsets::possible_cpus;
use wbd_linux::perf::cgroup::CgroupCounters;
use wbd_linux::process::Ended;

use super::bounds::{asleep, crowded, starved};
use super::observed::Observed;
use super::output::Printout;
use super::process::{Launcher, Limits, MeansError};
use super::slot::{Slot, put_away};
use crate::collect::helpers;
use crate::collect::kernel::Kernel;
use crate::engine::Engine;
use crate::engine::container::{Output, Piece, Spec};
use crate::engine::error::EngineError;
use crate::engine::meter::{Meter, Used};
use crate::engine::processes::Processes;
use crate::session::cancel::Cancel;

/// How long a shim may take to end once its container is removed.
const SHIM_LIMIT: Duration = Duration::from_secs(2);
/// How often that is looked at.
const SHIM_POLL: Duration = Duration::from_millis(5);

/// How a container ends that breaks a limit: the engine kills it.
const KILLED: Option<Ended> = Some(Ended::Signal(nix::libc::SIGKILL));

/// What to run in a container.
pub(crate) struct Contained<'a> {
    /// The image.
    pub(crate) image: &'a str,
    /// Arguments of its program.
    pub(crate) args: &'a [String],
    /// Whose rights it runs with.
    pub(crate) caller: &'a Identity,
    /// CPUs it may use; all where none is named.
    pub(crate) cpus: &'a [u32],
}

/// The instants of a container's run that the daemon itself sees, `CLOCK_MONOTONIC` nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Requests {
    /// The create request is about to be sent.
    pub(crate) launch: u64,
    /// The create request was answered.
    pub(crate) created: Option<u64>,
    /// The start request is about to be sent.
    pub(crate) start_sent: Option<u64>,
    /// The wait request was answered.
    pub(crate) wait_returned: Option<u64>,
}

/// Runs a container to its end and removes it.
pub(crate) fn run(
    (launcher, kernel, slot): (&mut Launcher, &mut Kernel, &mut Slot),
    engine: (&tokio::runtime::Runtime, &Engine, &str),
    contained: &Contained<'_>,
    limits: Limits,
    cancel: &Cancel,
) -> Result<(Observed, Requests, Used), MeansError> {
    let (cgroup, path) = slot.for_container()?;
    let before = Suspended::so_far();
    let number = launcher.number();
    kernel.register(cgroup.id(), number)?;
    let (runtime, engine, owner) = engine;
    let processes = runtime.block_on(engine.processes());
    for pid in [processes.dockerd, processes.containerd].into_iter().flatten() {
        kernel.follow(pid.cast_unsigned(), cgroup.id())?;
    }
    let mut counters = CgroupCounters::start(launcher.counters(), cgroup.directory(), possible_cpus());
    let mut observed = Observed::default();
    let mut requests = Requests::default();
    let spec = spec(contained, &path, owner, number);
    let mut meter = Meter::start(processes, possible_cpus());
    let seen = (&mut observed, &mut requests, &mut meter);
    let life = live(engine, &spec, limits, cancel, seen);
    if let Err(error) = runtime.block_on(life) {
        observed.faults.push(error.to_string());
    }
    observed.counters = counters.read().unwrap_or_default();
    await_shims(kernel, processes, &mut observed);
    let used = meter.stop();
    kernel.follow_none()?;
    observed.state = kernel.state(cgroup.id())?;
    kernel.unregister(cgroup.id())?;
    observed.interrupts_seen = kernel.no_interrupts().is_none();
    observed.switches_seen = kernel.sees_switches();
    kernel.drain(&mut observed.events);
    observed.memory_peak = cgroup
        .memory()
        .and_then(|memory| memory.peak())
        .and_then(Result::ok);
    observed.faults.splice(0..0, starved(&cgroup, limits));
    observed.faults.splice(0..0, crowded(&cgroup, observed.state));
    observed.faults.extend(asleep(before));
    put_away(cgroup)?;
    Ok((observed, requests, used))
}

/// Takes events until shims and runc are gone, which outlive the answer to the removal: what they used is known then.
fn await_shims(kernel: &mut Kernel, processes: Processes, observed: &mut Observed) {
    let deadline = Instant::now() + SHIM_LIMIT;
    kernel.drain(&mut observed.events);
    while helpers::still_running(&observed.events, processes) && Instant::now() < deadline {
        std::thread::sleep(SHIM_POLL);
        kernel.drain(&mut observed.events);
    }
}

fn spec<'a>(contained: &Contained<'a>, parent: &'a str, owner: &'a str, run: u64) -> Spec<'a> {
    let caller = contained.caller;
    Spec {
        image: contained.image,
        args: contained.args,
        cgroup_parent: Some(parent),
        user: Some((caller.uid, caller.gid)),
        cpus: contained.cpus,
        owner,
        run,
    }
}

/// The container's life, and its removal whatever happens in it.
async fn live(
    engine: &Engine,
    spec: &Spec<'_>,
    limits: Limits,
    cancel: &Cancel,
    (observed, requests, meter): (&mut Observed, &mut Requests, &mut Meter),
) -> Result<(), EngineError> {
    requests.launch = monotonic_ns();
    let id = engine.create(spec).await?;
    requests.created = Some(monotonic_ns());
    let (mut out, mut err) = (Printout::default(), Printout::default());
    let broken = tokio::select! {
        ended = execute(engine, &id, (&mut out, &mut err), limits, requests) => match ended {
            Ok(Some(code)) => {
                observed.ended = Some(Ended::Code(i32::try_from(code).unwrap_or(-1)));
                None
            }
            Ok(None) => {
                observed.ended = KILLED;
                Some(format!("printed more than {} bytes and was ended", limits.output_bytes))
            }
            Err(error) => Some(error.to_string()),
        },
        () = tokio::time::sleep(limits.time) => {
            observed.ended = KILLED;
            Some(format!("was still running after {} s and was ended", limits.time.as_secs_f64()))
        }
        () = cancel.cancelled() => {
            observed.ended = KILLED;
            Some("was ended with its experiment".to_owned())
        }
    };
    observed.faults.extend(broken);
    meter.weigh();
    if engine.end(&id).await.is_ok_and(|end| end.oom_killed) {
        observed
            .faults
            .push("was ended by the kernel for want of memory".to_owned());
    }
    Printout::report(&out, &err, observed);
    engine.remove(&id).await
}

/// Starts a container and waits for its end; none where it printed too much.
async fn execute(
    engine: &Engine,
    id: &str,
    printouts: (&mut Printout, &mut Printout),
    limits: Limits,
    requests: &mut Requests,
) -> Result<Option<i64>, EngineError> {
    let output = engine.attach(id).await?;
    requests.start_sent = Some(monotonic_ns());
    engine.start(id).await?;
    let ended = async {
        let code = engine.wait(id).await;
        (code, monotonic_ns())
    };
    let mut ended = std::pin::pin!(ended);
    let mut reading = std::pin::pin!(read(output, printouts, limits));
    let (code, at) = tokio::select! {
        ended = &mut ended => {
            if !reading.await? {
                return Ok(None);
            }
            ended
        }
        complete = &mut reading => {
            if !complete? {
                return Ok(None);
            }
            ended.await
        }
    };
    requests.wait_returned = Some(at);
    code.map(Some)
}

/// Reads what a container prints to the end; false where that is too much.
async fn read(
    mut output: Output,
    (out, err): (&mut Printout, &mut Printout),
    limits: Limits,
) -> Result<bool, EngineError> {
    while let Some(piece) = output.next().await {
        match piece? {
            Piece::Stdout(bytes) => out.take(&bytes),
            Piece::Stderr(bytes) => err.take(&bytes),
        }
        if out.bytes() + err.bytes() > limits.output_bytes {
            return Ok(false);
        }
    }
    Ok(true)
}
