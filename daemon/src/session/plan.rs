//! From a request, in names, to cells, in programs: everything that can be refused is refused here.

use std::path::{Path, PathBuf};

use wbd_linux::gate::{Identity, Program, ZeroByte};
use wbd_model::host::Unavailable;
use wbd_model::workload::Output;
use wbd_model::{RunRequest, Size};

use crate::targets::assets::Assets;
use crate::targets::catalogue::{self, Kind, Mode, TARGETS, Target};
use crate::targets::workloads::{self, WorkloadError};

/// Most runs of one cell.
const MAX_RUNS: u32 = 1_000_000;
/// Most runs of one experiment, over all cells.
const MAX_EXPERIMENT_RUNS: u64 = 4_000_000;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// No target of this name.
    #[error("no target is called `{name}`; there are: {known}", known = known_targets())]
    Target {
        /// The name asked for.
        name: String,
    },
    /// The workload cannot be used.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// The workload has no such size.
    #[error("workload {workload} has no size `{size}`")]
    Size {
        /// The workload.
        workload: String,
        /// The size asked for.
        size: Size,
    },
    /// A text the kernel cannot take.
    #[error(transparent)]
    Text(#[from] ZeroByte),
    /// A path of the request is not UTF-8.
    #[error("{0}: a path that is not UTF-8 cannot be used")]
    Path(String),
    /// The request contradicts itself or asks for too much.
    #[error("{0}")]
    Usage(String),
}

fn known_targets() -> String {
    TARGETS.map(|target| target.name).join(", ")
}

/// A checked request.
pub(crate) struct Plan {
    /// The request.
    pub(crate) request: RunRequest,
    /// Whose rights the targets run with.
    pub(crate) caller: Identity,
    /// The cells, by their number.
    pub(crate) cells: Vec<PlannedCell>,
}

/// A target with a workload, and what it takes to run it.
pub(crate) struct PlannedCell {
    /// Name of the target.
    pub(crate) target: String,
    /// Name of the workload.
    pub(crate) workload: String,
    /// The workload's arguments.
    pub(crate) args: Vec<String>,
    /// The output a run must have.
    pub(crate) output: Option<Output>,
    /// What it takes.
    pub(crate) means: Result<Means, Unavailable>,
}

/// What it takes to run a cell.
pub(crate) enum Means {
    /// A program as it is.
    Program(Program),
    /// An engine as it is, with a module of the caller's own.
    Engine {
        /// The engine, with its arguments.
        program: Program,
        /// The module, or the machine code an engine made of it.
        module: PathBuf,
    },
    /// A runner with a module, compiled beforehand or not.
    Runner {
        /// The runner.
        runner: PathBuf,
        /// The module.
        module: PathBuf,
        /// When its code is made.
        mode: Mode,
        /// Whether the module is the caller's own.
        own: bool,
    },
    /// A container with a static program.
    Container {
        /// The program.
        program: PathBuf,
    },
}

impl Plan {
    /// Checks a request of `caller`.
    pub(crate) fn new(request: RunRequest, caller: Identity, assets: &Assets) -> Result<Self, PlanError> {
        check_amount(&request)?;
        let cells = match (
            &request.wasm,
            request.command.is_empty(),
            request.targets.is_empty(),
        ) {
            (Some(module), _, _) => own_module(&request, module, assets)?,
            (None, false, true) => vec![own_command(&request, &caller)?],
            (None, true, false) => named(&request, &caller, assets)?,
            (None, false, false) => {
                return Err(usage(
                    "a command runs by itself: leave out the targets, or the command",
                ));
            }
            (None, true, true) => return Err(usage("nothing to run: name a target or give a command")),
        };
        let runs = cells.len() as u64 * u64::from(request.runs.saturating_add(request.warmup));
        if runs > MAX_EXPERIMENT_RUNS {
            return Err(usage(&format!(
                "{runs} runs are more than the {MAX_EXPERIMENT_RUNS} of one experiment"
            )));
        }
        Ok(Self {
            request,
            caller,
            cells,
        })
    }
}

fn usage(why: &str) -> PlanError {
    PlanError::Usage(why.to_owned())
}

fn check_amount(request: &RunRequest) -> Result<(), PlanError> {
    if request.runs == 0 || request.runs > MAX_RUNS || request.warmup > MAX_RUNS {
        return Err(usage(&format!(
            "a cell can have 1 to {MAX_RUNS} runs, and as many before them"
        )));
    }
    if request.time_limit_ms == 0 {
        return Err(usage("a time limit of 0 leaves no time to run"));
    }
    Ok(())
}

fn find_targets(request: &RunRequest) -> Result<Vec<Target>, PlanError> {
    let find = |name: &String| catalogue::find(name).ok_or_else(|| PlanError::Target { name: name.clone() });
    request.targets.iter().map(find).collect()
}

/// Named targets with named workloads.
fn named(request: &RunRequest, caller: &Identity, assets: &Assets) -> Result<Vec<PlannedCell>, PlanError> {
    let targets = find_targets(request)?;
    let mut cells = Vec::new();
    for workload in &request.workloads {
        let manifest = workloads::manifest(assets, workload)?;
        let problem = manifest.sizes.get(&request.size).ok_or_else(|| PlanError::Size {
            workload: workload.clone(),
            size: request.size,
        })?;
        for target in &targets {
            cells.push(PlannedCell {
                target: target.name.to_owned(),
                workload: workload.clone(),
                args: problem.args.clone(),
                output: Some(problem.output.clone()),
                means: means(*target, workload, &problem.args, caller, assets)?,
            });
        }
    }
    if cells.is_empty() {
        return Err(usage("nothing to run: name a workload"));
    }
    Ok(cells)
}

fn means(
    target: Target,
    workload: &str,
    args: &[String],
    caller: &Identity,
    assets: &Assets,
) -> Result<Result<Means, Unavailable>, PlanError> {
    Ok(match target.kind {
        Kind::Native(ending) => match assets.program(workload, ending) {
            Ok(path) => Ok(Means::Program(native(&path, workload, args, caller)?)),
            Err(why) => Err(why),
        },
        Kind::Wasm { engine, mode } => assets.runner(engine).and_then(|runner| {
            let module = assets.program(workload, "wasm")?;
            Ok(Means::Runner {
                runner,
                module,
                mode,
                own: false,
            })
        }),
        Kind::Container => assets
            .program(workload, "static")
            .map(|program| Means::Container { program }),
    })
}

fn native(path: &Path, name: &str, args: &[String], caller: &Identity) -> Result<Program, PlanError> {
    let args: Vec<String> = std::iter::once(name.to_owned())
        .chain(args.iter().cloned())
        .collect();
    Ok(Program::new(utf8(path)?, &args, &[], "/", caller.clone())?)
}

/// The caller's own module on every Wasm target, or on those named.
fn own_module(request: &RunRequest, module: &Path, assets: &Assets) -> Result<Vec<PlannedCell>, PlanError> {
    if !module.is_absolute() {
        return Err(usage("a module's path must be absolute"));
    }
    utf8(module)?;
    let mut targets = find_targets(request)?;
    if targets.is_empty() {
        targets = TARGETS
            .into_iter()
            .filter(|target| matches!(target.kind, Kind::Wasm { .. }))
            .collect();
    }
    targets
        .into_iter()
        .map(|target| own_module_on(target, request, module, assets))
        .collect()
}

fn own_module_on(
    target: Target,
    request: &RunRequest,
    module: &Path,
    assets: &Assets,
) -> Result<PlannedCell, PlanError> {
    let Kind::Wasm { engine, mode } = target.kind else {
        return Err(usage(&format!("target {} runs no Wasm modules", target.name)));
    };
    let means = assets.runner(engine).map(|runner| Means::Runner {
        runner,
        module: module.to_owned(),
        mode,
        own: true,
    });
    Ok(PlannedCell {
        target: target.name.to_owned(),
        workload: stem(module),
        args: request.command.clone(),
        output: None,
        means,
    })
}

/// A command of the caller's own.
fn own_command(request: &RunRequest, caller: &Identity) -> Result<PlannedCell, PlanError> {
    let [path, args @ ..] = request.command.as_slice() else {
        return Err(usage("the command is empty"));
    };
    if !Path::new(path).is_absolute() {
        return Err(usage("a command's path must be absolute"));
    }
    let program = Program::new(
        path,
        &request.command,
        &request.env,
        utf8(&request.cwd)?,
        caller.clone(),
    )?;
    Ok(PlannedCell {
        target: "command".to_owned(),
        workload: stem(Path::new(path)),
        args: args.to_vec(),
        output: None,
        means: Ok(match module(args, &request.cwd) {
            Some(module) => Means::Engine { program, module },
            None => Means::Program(program),
        }),
    })
}

/// How the files of modules end, and of the machine code that engines make of them.
const MODULE_ENDINGS: [&str; 6] = ["wasm", "wat", "cwasm", "wasmu", "so", "aot"];

/// The module that a command names among its arguments: the first file of such an ending.
fn module(args: &[String], cwd: &Path) -> Option<PathBuf> {
    let is_module = |arg: &&String| {
        let ending = Path::new(arg.as_str()).extension();
        ending.is_some_and(|ending| MODULE_ENDINGS.iter().any(|known| ending == *known))
    };
    args.iter().find(is_module).map(|module| cwd.join(module))
}

/// A file's name without its ending and without what would confuse a cell's name.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace(['/', ':'], "_")
}

fn utf8(path: &Path) -> Result<&str, PlanError> {
    path.to_str()
        .ok_or_else(|| PlanError::Path(path.display().to_string()))
}
