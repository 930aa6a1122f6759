//! From planned cells to cells that can be run: code compiled, images made, or the reason why not.

use std::path::Path;

use wbd_linux::caller_file;
use wbd_linux::gate::{Identity, Program};
use wbd_model::host::Unavailable;
use wbd_model::request::PageCache;
use wbd_model::{Cell, Metric, Progress};

use super::cold::{self, ColdFiles};
use super::experiment::cache_state;
use super::laboratory::Laboratory;
use super::news::News;
use super::plan::{Image, Means, Plan};
use super::{conditions, disk};
use crate::collect::sample::Guest;
use crate::engine::Engine;
use crate::targets::catalogue::Mode;
use crate::targets::precompiled::{Compiler, PrecompileError, Precompiled};
use crate::targets::runners::Runner;

/// A cell that can be run.
pub(super) struct ReadyCell {
    /// Its number in the plan.
    pub(super) index: usize,
    /// How it is run.
    pub(super) how: How,
    /// Code compiled ahead of time. Kept until the last run: dropping it removes a caller's own.
    pub(super) code: Option<Precompiled>,
    /// What is dropped from the page cache before each run.
    pub(super) cold: Option<ColdFiles>,
}

/// How a cell is run.
pub(super) enum How {
    /// As a process of ours.
    Process { program: Program, guest: Guest },
    /// As a container of this image.
    Container { image: String, args: Vec<String> },
}

/// The container engine, with the event loop its requests are made on: one of this thread, so that an
/// instant is taken where the request is made.
pub(super) struct Containers {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) engine: Engine,
}

/// Connects to the container engine, where a cell needs it.
pub(super) fn containers(plan: &Plan, owner: &str) -> Result<Containers, Unavailable> {
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
    let engine = runtime.block_on(async {
        let engine = Engine::here().await?;
        engine.can_nest().await?;
        // Of ours there is none now, unless the engine died while one ran.
        if let Err(error) = engine.remove_leftovers(owner).await {
            tracing::warn!("containers of earlier runs may be left: {error}");
        }
        Ok::<_, Unavailable>(engine)
    })?;
    Ok(Containers { runtime, engine })
}

/// The processes of the container engine; none where there is no engine, or they cannot be found.
pub(super) fn engine_processes() -> Vec<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let processes = runtime
        .ok()
        .and_then(|runtime| runtime.block_on(async { Some(Engine::here().await.ok()?.processes().await) }));
    let pids = processes.map(|processes| [processes.dockerd, processes.containerd]);
    pids.into_iter()
        .flatten()
        .flatten()
        .map(i32::cast_unsigned)
        .collect()
}

/// Makes each cell ready; one that cannot be run is explained in its document and left out.
pub(super) fn prepare(
    laboratory: &mut Laboratory,
    plan: &Plan,
    containers: &Result<Containers, Unavailable>,
    cells: &mut [Cell],
    news: &News,
) -> Vec<ReadyCell> {
    let mut ready = Vec::new();
    for (index, planned) in plan.cells.iter().enumerate() {
        let made = match &planned.means {
            Ok(Means::Container(image)) => prepare_container(containers, plan, index, image),
            Ok(means) => prepare_process(laboratory, plan, index, means, news),
            Err(why) => Err(why.clone()),
        };
        match made {
            Ok(cell) => {
                if let Some(cold) = &cell.cold {
                    cells[index].cache = cache_state(planned, &cold.about);
                }
                cells[index].disk = disk::of(planned, &cell, &laboratory.runners, containers);
                ready.push(cell);
            }
            Err(why) => explain_unavailable(&mut cells[index], &why, news),
        }
    }
    ready
}

fn explain_unavailable(cell: &mut Cell, why: &Unavailable, news: &News) {
    cell.cache.clear(); // there are no figures to say it of
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
    image: &Image,
) -> Result<ReadyCell, Unavailable> {
    if is_cold(plan) {
        return Err(cold::contained());
    }
    let Containers { runtime, engine } = containers.as_ref().map_err(Clone::clone)?;
    let cell = &plan.cells[index];
    let image = match image {
        Image::Ours(program) => runtime.block_on(engine.ensure_image(&cell.workload, program))?,
        Image::Named(reference) => {
            runtime.block_on(engine.must_have_image(reference))?;
            reference.clone()
        }
    };
    Ok(ReadyCell {
        index,
        how: How::Container {
            image,
            args: cell.args.clone(),
        },
        code: None,
        cold: None,
    })
}

fn is_cold(plan: &Plan) -> bool {
    plan.request.conditions.page_cache == PageCache::Cold
}

fn prepare_process(
    laboratory: &mut Laboratory,
    plan: &Plan,
    index: usize,
    means: &Means,
    news: &News,
) -> Result<ReadyCell, Unavailable> {
    if lets_the_caller_run_first(plan, means) {
        let most = laboratory.allowance.memory_bytes(plan.caller.uid);
        laboratory.slot.limit_memory(most);
    }
    let (program, guest, code) = match means {
        Means::Program(program) => (program.clone(), Guest::Entry, None),
        Means::Client(program) => (program.clone(), Guest::Contained, None),
        Means::Engine { program, .. } => (program.clone(), Guest::Inferred, None),
        Means::Runner {
            runner,
            module,
            mode,
            own,
            given,
        } => {
            if *own {
                check_module(module, &plan.caller)?;
            }
            // One that does not start is told once, and not by each of its runs.
            let runner = laboratory.runners.get(runner)?;
            let code = match mode {
                Mode::Jit | Mode::Interp => None,
                Mode::Aot => Some(precompile(
                    laboratory,
                    plan,
                    index,
                    (&runner, module),
                    *own,
                    news,
                )?),
            };
            let file = code.as_ref().map_or(module.as_path(), |code| code.path.as_path());
            let line = Line {
                mode: *mode,
                file,
                module,
                given,
                args: &plan.cells[index].args,
            };
            let program = runner_program(&runner.path, &line, &plan.caller)?;
            (program, Guest::Marked, code)
        }
        Means::Container { .. } => unreachable!("containers are prepared elsewhere"),
    };
    let files = (&program, code.as_ref());
    let cold = is_cold(plan).then(|| ColdFiles::of(&mut laboratory.slot, plan, &plan.cells[index], files));
    let changes = conditions::changes(plan).map_err(|error| Unavailable {
        why: format!("the daemon cannot read its own limits and settings: {error}"),
        mend: "see that /proc is mounted".to_owned(),
    })?;
    Ok(ReadyCell {
        index,
        how: How::Process {
            program: program.with(changes),
            guest,
        },
        code,
        cold: cold.transpose()?,
    })
}

/// Whether what is the caller's own is run before the first run: a compiler on their module, their program's loader.
fn lets_the_caller_run_first(plan: &Plan, means: &Means) -> bool {
    let compiles = matches!(
        means,
        Means::Runner {
            mode: Mode::Aot,
            own: true,
            ..
        }
    );
    compiles || is_cold(plan)
}

/// What is no file, or not for the caller to read, is told now: a compiler would wait at a pipe.
fn check_module(module: &Path, caller: &Identity) -> Result<(), Unavailable> {
    let opened = caller_file::open(module, caller);
    opened.map(drop).map_err(|error| Unavailable {
        why: format!("{}: {error}", module.display()),
        mend: "name a file that you may read".to_owned(),
    })
}

fn precompile(
    laboratory: &mut Laboratory,
    plan: &Plan,
    index: usize,
    (runner, module): (&Runner, &Path),
    own: bool,
    news: &News,
) -> Result<Precompiled, Unavailable> {
    let cell = &plan.cells[index];
    news.send(Progress::Preparing(format!(
        "code of {} for {}",
        cell.workload, cell.target
    )));
    let most_bytes = laboratory.allowance.output_bytes();
    let Laboratory { slot, code, .. } = laboratory;
    let made = if own {
        code.of_caller(
            Compiler {
                runner,
                caller: &plan.caller,
                slot,
                most_bytes,
            },
            module,
            index,
        )
    } else {
        let root = Identity {
            uid: 0,
            gid: 0,
            groups: Vec::new(),
        };
        code.of_workload(
            Compiler {
                runner,
                caller: &root,
                slot,
                most_bytes,
            },
            module,
        )
    };
    made.map_err(|error| {
        let mend = match &error {
            PrecompileError::Refused(_) => "give a module this engine takes",
            PrecompileError::File { .. } | PrecompileError::Means(_) => {
                "see that the state directory has room"
            }
        };
        Unavailable {
            why: error.to_string(),
            mend: mend.to_owned(),
        }
    })
}

/// What a runner's command line says beside its own name.
struct Line<'a> {
    mode: Mode,
    /// What is run: the module, or the code made of it.
    file: &'a Path,
    /// What the guest is called after.
    module: &'a Path,
    given: &'a [String],
    args: &'a [String],
}

impl Line<'_> {
    fn words(&self, runner: &str) -> Vec<String> {
        let name = self.module.file_name().unwrap_or_default().to_string_lossy();
        let fixed = [runner, "run", "--mode", self.mode.as_str(), "--name", &name];
        let fixed = fixed.map(str::to_owned).into_iter();
        let file = [self.file.to_string_lossy().into_owned(), "--".to_owned()];
        let given = fixed.chain(self.given.iter().cloned());
        given.chain(file).chain(self.args.iter().cloned()).collect()
    }
}

/// The directory and the variables that the guest is given are opened by the runner, with the caller's rights.
fn runner_program(runner: &Path, line: &Line<'_>, caller: &Identity) -> Result<Program, Unavailable> {
    let runner = runner.to_string_lossy().into_owned();
    Program::new(&runner, &line.words(&runner), &[], "/", caller.clone()).map_err(|error| Unavailable {
        why: error.to_string(),
        mend: "give another argument".into(),
    })
}

/// Why none of these cells can be run.
pub(super) fn why_nothing(cells: &[Cell]) -> String {
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
