//! The runs of an experiment: prepared, shuffled, made one by one, recorded as they come.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wbd_linux::gate::Program;
use wbd_linux::perf::Counted;
use wbd_model::document::State;
use wbd_model::host::{Machine, Unavailable};
use wbd_model::{Cell, Experiment, Metric, Progress, SCHEMA, Sample};

use super::cancel::Cancel;
use super::news::News;
use super::plan::{Means, Plan, PlannedCell};
use super::summary::sum_up;
use crate::collect::kernel::{Attached, Kernel, KernelError};
use crate::collect::sample::{self, Expected};
use crate::engine::Engine;
use crate::launch::container::{self, Contained};
use crate::launch::process::{Launcher, Limits, MeansError};
use crate::launch::slot::Slot;
use crate::store::{NewCell, NewExperiment, Recording, Store, StoreError, Writer};
use crate::targets::catalogue::Mode;
use crate::targets::precompiled::{Cache, Precompiled};

/// Most bytes a run may print.
const OUTPUT_LIMIT_BYTES: u64 = 512 * 1024 * 1024;

/// What only one experiment at a time may use.
pub(crate) struct Laboratory {
    /// The kernel side.
    pub(crate) kernel: Kernel,
    /// Cgroups for runs.
    pub(crate) slot: Slot,
    /// Where runs are recorded.
    pub(crate) store: Store,
    /// Code compiled ahead of time.
    pub(crate) code: Cache,
    /// The daemon's name, for the containers it makes.
    pub(crate) instance: String,
}

/// Why an experiment ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExperimentError {
    /// The daemon's own means failed.
    #[error(transparent)]
    Means(#[from] MeansError),
    /// The kernel side failed.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing of what was asked for can be run here.
    #[error("{0}")]
    NothingToRun(String),
}

/// A cell that can be run.
struct ReadyCell {
    index: usize,
    how: How,
    /// Kept until the last run: dropping it removes a caller's own code.
    _code: Option<Precompiled>,
}

/// How a cell is run.
enum How {
    /// As a process of ours; the guest's entry is marked by a runner, or is the program's own.
    Process { program: Program, marks_guest: bool },
    /// As a container of this image.
    Container { image: String, args: Vec<String> },
}

/// The container engine, with the event loop its requests are made on: one of this thread, so that an
/// instant is taken where the request is made.
struct Containers {
    runtime: tokio::runtime::Runtime,
    engine: Engine,
}

/// Makes the runs of `plan` and returns the experiment's document.
pub(crate) fn run(
    laboratory: &mut Laboratory,
    plan: &Plan,
    machine: Machine,
    news: &mut News,
    cancel: &Cancel,
) -> Result<Experiment, ExperimentError> {
    let mut cells: Vec<Cell> = plan.cells.iter().map(|cell| document(cell, plan)).collect();
    let containers = containers(plan);
    let ready = prepare(laboratory, plan, &containers, &mut cells, news);
    if ready.is_empty() {
        return Err(ExperimentError::NothingToRun(why_nothing(&cells)));
    }
    let launcher = Launcher::new()?;
    note_missing_counters(&launcher, &mut cells);
    let attached = attach(&mut laboratory.kernel, plan, &ready)?;
    let mut writer = laboratory.store.writer()?;
    let seed = plan.request.seed.unwrap_or_else(chosen_seed);
    let new = new_experiment(plan, &cells, machine, seed);
    let recording = writer.begin_experiment(&new)?;
    for (index, cell) in cells.iter().enumerate() {
        for (&metric, why) in &cell.unavailable {
            writer.record_unavailable(&recording, index, metric, why)?;
        }
    }
    let mut runs = Runs {
        laboratory,
        plan,
        launcher,
        containers: containers.ok(),
        ready,
        samples: plan.cells.iter().map(|_| Vec::new()).collect(),
        failed: 0,
    };
    let state = runs.make(&mut writer, &recording, seed, news, cancel);
    let samples = runs.samples;
    drop(attached);
    let closed = laboratory.slot.close();
    let finished: Vec<_> = cells
        .into_iter()
        .zip(&samples)
        .map(|(cell, samples)| sum_up(cell, samples))
        .collect();
    // Also after an error: what was recorded is summed up and kept.
    let kept = writer.finish(
        &recording,
        *state.as_ref().unwrap_or(&State::Interrupted),
        &finished,
    );
    let state = state?;
    kept?;
    closed.map_err(MeansError::Cgroup)?;
    Ok(Experiment {
        schema: SCHEMA,
        experiment: recording.name(),
        created: new.created,
        state,
        seed,
        machine: new.machine,
        cells: finished.into_iter().map(|cell| cell.summary).collect(),
        warnings: new.warnings,
    })
}

/// A cell's document before its first run.
fn document(cell: &PlannedCell, plan: &Plan) -> Cell {
    Cell {
        target: cell.target.clone(),
        workload: cell.workload.clone(),
        args: cell.args.clone(),
        cache: cache_state(cell, plan.request.warmup),
        runs: plan.request.runs,
        valid: 0,
        failed: 0,
        metrics: Default::default(),
        phases: Vec::new(),
        unavailable: Default::default(),
        samples: Vec::new(),
        failures: Default::default(),
    }
}

fn cache_state(cell: &PlannedCell, warmup: u32) -> String {
    let pages = if warmup > 0 {
        "page cache warm"
    } else {
        "page cache as it was found"
    };
    match &cell.means {
        Ok(Means::Runner { mode: Mode::Jit, .. }) => format!("{pages}, code compiled in every run"),
        Ok(Means::Runner { mode: Mode::Aot, .. }) => format!("{pages}, code compiled before"),
        _ => pages.to_owned(),
    }
}

/// Connects to the container engine, where a cell needs it.
fn containers(plan: &Plan) -> Result<Containers, Unavailable> {
    if !plan
        .cells
        .iter()
        .any(|cell| matches!(cell.means, Ok(Means::Container { .. })))
    {
        return Err(Unavailable {
            why: "no cell needs containers".to_owned(),
            mend: String::new(),
        });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Unavailable {
        why: format!("no event loop for the container engine: {error}"),
        mend: "see the daemon's log".to_owned(),
    })?;
    let engine = runtime.block_on(Engine::here())?;
    Ok(Containers { runtime, engine })
}

/// Makes each cell ready; one that cannot be run is explained in its document and left out.
fn prepare(
    laboratory: &Laboratory,
    plan: &Plan,
    containers: &Result<Containers, Unavailable>,
    cells: &mut [Cell],
    news: &News,
) -> Vec<ReadyCell> {
    let mut ready = Vec::new();
    for (index, planned) in plan.cells.iter().enumerate() {
        let made = match &planned.means {
            Ok(Means::Container { program }) => prepare_container(containers, plan, index, program),
            Ok(means) => prepare_process(laboratory, plan, index, means, news),
            Err(why) => Err(why.clone()),
        };
        match made {
            Ok(cell) => ready.push(cell),
            Err(why) => explain_unavailable(&mut cells[index], &why, news),
        }
    }
    ready
}

fn explain_unavailable(cell: &mut Cell, why: &Unavailable, news: &News) {
    let text = format!("{}; {}", why.why, why.mend);
    news.send(Progress::Warning(format!(
        "{}/{} is unavailable: {text}",
        cell.target, cell.workload
    )));
    for metric in [Metric::Startup, Metric::Execution, Metric::Wall] {
        cell.unavailable.insert(metric, text.clone());
    }
}

fn prepare_container(
    containers: &Result<Containers, Unavailable>,
    plan: &Plan,
    index: usize,
    program: &Path,
) -> Result<ReadyCell, Unavailable> {
    let Containers { runtime, engine } = containers.as_ref().map_err(Clone::clone)?;
    let cell = &plan.cells[index];
    let image = runtime.block_on(engine.ensure_image(&cell.workload, program))?;
    Ok(ReadyCell {
        index,
        how: How::Container {
            image,
            args: cell.args.clone(),
        },
        _code: None,
    })
}

fn prepare_process(
    laboratory: &Laboratory,
    plan: &Plan,
    index: usize,
    means: &Means,
    news: &News,
) -> Result<ReadyCell, Unavailable> {
    let (program, marks_guest, code) = match means {
        Means::Program(program) => (program.clone(), false, None),
        Means::Runner {
            runner,
            module,
            mode,
            own,
        } => {
            let code = match mode {
                Mode::Jit => None,
                Mode::Aot => Some(precompile(laboratory, plan, index, (runner, module), *own, news)?),
            };
            let file = code.as_ref().map_or(module.as_path(), |code| code.path.as_path());
            let program = runner_program(runner, *mode, file, module, &plan.cells[index].args, plan)?;
            (program, true, code)
        }
        Means::Container { .. } => unreachable!("containers are prepared elsewhere"),
    };
    Ok(ReadyCell {
        index,
        how: How::Process { program, marks_guest },
        _code: code,
    })
}

fn precompile(
    laboratory: &Laboratory,
    plan: &Plan,
    index: usize,
    (runner, module): (&Path, &Path),
    own: bool,
    news: &News,
) -> Result<Precompiled, Unavailable> {
    let cell = &plan.cells[index];
    news.send(Progress::Preparing(format!(
        "code of {} for {}",
        cell.workload, cell.target
    )));
    let made = if own {
        laboratory.code.of_caller(runner, module, &plan.caller, index)
    } else {
        laboratory.code.of_workload(runner, module)
    };
    made.map_err(|error| Unavailable {
        why: error.to_string(),
        mend: "give a module this engine takes".into(),
    })
}

fn runner_program(
    runner: &Path,
    mode: Mode,
    file: &Path,
    module: &Path,
    args: &[String],
    plan: &Plan,
) -> Result<Program, Unavailable> {
    let name = module
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let file = file.to_string_lossy().into_owned();
    let runner = runner.to_string_lossy().into_owned();
    let fixed = [
        runner.clone(),
        "run".into(),
        "--mode".into(),
        mode.as_str().into(),
        "--name".into(),
        name,
    ];
    let all: Vec<String> = fixed
        .into_iter()
        .chain([file, "--".to_owned()])
        .chain(args.iter().cloned())
        .collect();
    Program::new(&runner, &all, &[], "/", plan.caller.clone()).map_err(|error| Unavailable {
        why: error.to_string(),
        mend: "give another argument".into(),
    })
}

fn why_nothing(cells: &[Cell]) -> String {
    let mut reasons: Vec<String> = cells
        .iter()
        .filter_map(|cell| {
            Some(format!(
                "{}/{}: {}",
                cell.target,
                cell.workload,
                cell.unavailable.values().next()?
            ))
        })
        .collect();
    reasons.dedup();
    format!("nothing of this can be run here: {}", reasons.join("; "))
}

fn note_missing_counters(launcher: &Launcher, cells: &mut [Cell]) {
    for (counted, error) in launcher.missing() {
        let Some(metric) = sample::metric_of(*counted) else {
            continue;
        };
        let why = match counted {
            Counted::Cycles | Counted::Instructions | Counted::BranchMisses | Counted::CacheMisses => {
                format!(
                    "this machine has no such hardware counter ({error}); a virtual machine needs its host to pass the PMU through"
                )
            }
            _ => format!("the kernel refused the counter: {error}"),
        };
        for cell in &mut *cells {
            cell.unavailable.entry(metric).or_insert_with(|| why.clone());
        }
    }
}

fn attach(kernel: &mut Kernel, plan: &Plan, ready: &[ReadyCell]) -> Result<Attached, KernelError> {
    let mut attached = kernel.attach()?;
    let mut runners: Vec<&Path> = ready
        .iter()
        .filter_map(|cell| match &plan.cells[cell.index].means {
            Ok(Means::Runner { runner, .. }) => Some(runner.as_path()),
            _ => None,
        })
        .collect();
    runners.sort_unstable();
    runners.dedup();
    for runner in runners {
        kernel.attach_marks(&mut attached, runner)?;
    }
    Ok(attached)
}

fn chosen_seed() -> u64 {
    // 53 bits, so that every JSON reader keeps it whole.
    wbd_linux::clock::monotonic_ns().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11
}

fn new_experiment(plan: &Plan, cells: &[Cell], machine: Machine, seed: u64) -> NewExperiment {
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let new_cell = |cell: &Cell| NewCell {
        target: cell.target.clone(),
        workload: cell.workload.clone(),
        args: cell.args.clone(),
        cache: cell.cache.clone(),
        runs: cell.runs,
    };
    NewExperiment {
        owner_uid: plan.caller.uid,
        created,
        seed,
        request: plan.request.clone(),
        machine,
        warnings: Vec::new(),
        cells: cells.iter().map(new_cell).collect(),
    }
}

/// The runs of an experiment under way.
struct Runs<'a> {
    laboratory: &'a mut Laboratory,
    plan: &'a Plan,
    launcher: Launcher,
    containers: Option<Containers>,
    ready: Vec<ReadyCell>,
    samples: Vec<Vec<Sample>>,
    failed: u32,
}

impl Runs<'_> {
    /// Makes all runs, warm-ups first, in shuffled rounds.
    fn make(
        &mut self,
        writer: &mut Writer,
        recording: &Recording,
        seed: u64,
        news: &mut News,
        cancel: &Cancel,
    ) -> Result<State, ExperimentError> {
        let request = &self.plan.request;
        let rounds = request.warmup.saturating_add(request.runs);
        let order = wbd_analysis::order::shuffled_rounds(self.ready.len(), rounds, seed);
        let total = u32::try_from(order.len()).unwrap_or(u32::MAX);
        news.send(Progress::Started {
            experiment: recording.name(),
            runs: total,
        });
        let warmups = self.ready.len() as u32 * request.warmup;
        for (place, (cell, round)) in (0_u32..).zip(order) {
            let made = self.one(
                cell,
                round.saturating_sub(request.warmup),
                place.saturating_sub(warmups),
                cancel,
            )?;
            if cancel.is_cancelled() {
                return Ok(State::Interrupted);
            }
            if round >= request.warmup {
                let index = self.ready[cell].index;
                writer.record(recording, index, &made)?;
                self.failed += u32::from(!made.valid);
                self.samples[index].push(made);
            }
            news.ran(place + 1, self.failed);
        }
        Ok(State::Done)
    }

    fn one(&mut self, cell: usize, run: u32, order: u32, cancel: &Cancel) -> Result<Sample, ExperimentError> {
        let ready = &self.ready[cell];
        let limits = Limits {
            time: Duration::from_millis(self.plan.request.time_limit_ms),
            output_bytes: OUTPUT_LIMIT_BYTES,
        };
        let output = self.plan.cells[ready.index].output.as_ref();
        let Laboratory {
            kernel,
            slot,
            instance,
            ..
        } = &mut *self.laboratory;
        match (&ready.how, &self.containers) {
            (How::Process { program, marks_guest }, _) => {
                let observed = self.launcher.run(kernel, slot, program, limits, cancel)?;
                let expected = Expected {
                    output,
                    marks_guest: *marks_guest,
                };
                Ok(sample::of_process(observed, &expected, run, order))
            }
            (How::Container { image, args }, Some(Containers { runtime, engine })) => {
                let contained = Contained {
                    image,
                    args,
                    caller: &self.plan.caller,
                };
                let tools = (&mut self.launcher, kernel, slot);
                let seen = container::run(tools, (runtime, engine, instance), &contained, limits, cancel)?;
                let expected = Expected {
                    output,
                    marks_guest: false,
                };
                Ok(crate::collect::container::sample(
                    seen.0, seen.1, &expected, run, order,
                ))
            }
            (How::Container { .. }, None) => unreachable!("a container was made ready without an engine"),
        }
    }
}
