//! From a request, in names, to cells, in programs: everything that can be refused is refused here.

use std::path::{Path, PathBuf};

use wbd_linux::gate::{Identity, Program, ZeroByte};
use wbd_linux::inherited::Inherited;
use wbd_model::host::Unavailable;
use wbd_model::workload::Output;
use wbd_model::{Preopen, RunRequest, Size};

use super::suite::{self, Named};
use super::{command, conditions, image};
use crate::allowance::Wanted;
use crate::targets::assets::Assets;
use crate::targets::catalogue::{Kind, Mode, TARGETS, Target, Wasm};
use crate::targets::workloads::{self, WorkloadError};

/// Most runs of one cell.
const MAX_RUNS: u32 = 1_000_000;
/// Most cells of one experiment: every target with every workload is a tenth of it.
const MAX_CELLS: usize = 2_000;
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
#[derive(Clone)]
pub(crate) struct Plan {
    /// The request.
    pub(crate) request: RunRequest,
    /// Whose rights the targets run with.
    pub(crate) caller: Identity,
    /// What they have of the caller's process beside them.
    pub(crate) inherited: Inherited,
    /// The cells, by their number.
    pub(crate) cells: Vec<PlannedCell>,
}

/// A target with a workload, and what it takes to run it.
#[derive(Clone)]
pub(crate) struct PlannedCell {
    /// Name of the target.
    pub(crate) target: String,
    /// Name of the workload.
    pub(crate) workload: String,
    /// The workload's arguments.
    pub(crate) args: Vec<String>,
    /// The workload's size, where it has sizes.
    pub(crate) size: Option<Size>,
    /// The output a run must have.
    pub(crate) output: Option<Output>,
    /// What it takes.
    pub(crate) means: Result<Means, Unavailable>,
}

/// What it takes to run a cell.
#[derive(Clone)]
pub(crate) enum Means {
    /// A program as it is.
    Program(Program),
    /// A client of the container engine, which asks it for a container.
    Client(Program),
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
        /// What the guest is given beside its arguments, as the runner's flags.
        given: Vec<String>,
    },
    /// A container.
    Container(Image),
}

/// What a container is made from.
#[derive(Clone)]
pub(crate) enum Image {
    /// An image of our own: this static program and nothing else.
    Ours(PathBuf),
    /// An image that the engine has by this reference.
    Named(String),
}

impl Plan {
    /// Checks a request of `caller`, from a process that hands down `inherited`.
    pub(crate) fn new(
        request: RunRequest,
        caller: Identity,
        inherited: Inherited,
        assets: &Assets,
    ) -> Result<Self, PlanError> {
        check_amount(&request)?;
        conditions::check(&request.conditions)?;
        let cells = cells(&request, &caller, assets)?;
        let runs = cells.len() as u64 * u64::from(request.runs.saturating_add(request.warmup));
        if runs > MAX_EXPERIMENT_RUNS {
            return Err(usage(&format!(
                "{runs} runs are more than the {MAX_EXPERIMENT_RUNS} of one experiment"
            )));
        }
        Ok(Self {
            request,
            caller,
            inherited,
            cells,
        })
    }
}

impl Plan {
    /// What it takes of what users may have.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        let rounds = u64::from(self.request.runs) + u64::from(self.request.warmup);
        Wanted {
            runs: self.cells.len() as u64 * rounds,
            time_ms: self.request.time_limit_ms,
            memory_mib: self.request.memory_limit_mib,
            image: self.request.image.as_deref(),
        }
    }
}

fn cells(request: &RunRequest, caller: &Identity, assets: &Assets) -> Result<Vec<PlannedCell>, PlanError> {
    suite::check(request)?;
    if let Some(reference) = &request.image {
        return Ok(vec![image::planned(request, reference)?]);
    }
    if let Some(module) = &request.wasm {
        return own_module(request, module, assets);
    }
    if !request.dirs.is_empty() {
        return Err(usage("a directory is for a module's guest: name the module"));
    }
    let by_name = !request.targets.is_empty() || request.suite.is_some();
    match (request.command.is_empty(), by_name) {
        (false, false) => Ok(vec![command::planned(request, caller)?]),
        (true, true) => named(request, caller, assets),
        (false, true) => Err(usage(
            "a command runs by itself: leave out the targets, or the command",
        )),
        (true, false) => Err(usage("nothing to run: name a target or give a command")),
    }
}

pub(super) fn usage(why: &str) -> PlanError {
    PlanError::Usage(why.to_owned())
}

fn check_amount(request: &RunRequest) -> Result<(), PlanError> {
    if request.runs == 0 || request.runs > MAX_RUNS || request.warmup > MAX_RUNS {
        return Err(usage(&format!(
            "a cell can have 1 to {MAX_RUNS} runs, and as many before them"
        )));
    }
    let cells = request
        .targets
        .len()
        .max(1)
        .saturating_mul(request.workloads.len().max(1));
    if cells > MAX_CELLS {
        return Err(usage(&format!(
            "{cells} cells are more than the {MAX_CELLS} of one experiment"
        )));
    }
    if request
        .until
        .is_some_and(|until| !(1..=1_000_000).contains(&until.half_width_ppm))
    {
        return Err(usage(
            "medians can be known to within more than 0 and up to 100 %",
        ));
    }
    if request.time_limit_ms == 0 {
        return Err(usage("a time limit of 0 leaves no time to run"));
    }
    if request.memory_limit_mib == 0 {
        return Err(usage("a memory limit of 0 leaves no room to run"));
    }
    Ok(())
}

/// Named targets with named workloads.
fn named(request: &RunRequest, caller: &Identity, assets: &Assets) -> Result<Vec<PlannedCell>, PlanError> {
    let cells = suite::cells(request, assets)?;
    if cells.is_empty() {
        return Err(usage("nothing to run: name a workload"));
    }
    let planned = cells.into_iter().map(|named| planned(named, caller, assets));
    planned.collect()
}

fn planned(named: Named, caller: &Identity, assets: &Assets) -> Result<PlannedCell, PlanError> {
    let Named {
        target,
        workload,
        size,
    } = named;
    let (program, mut manifest) = workloads::find(assets, &workload)?;
    let problem = manifest.sizes.remove(&size).ok_or_else(|| PlanError::Size {
        workload: workload.clone(),
        size,
    })?;
    Ok(PlannedCell {
        target: target.name.to_owned(),
        means: means(target, &program, &problem.args, caller, assets)?,
        workload,
        args: problem.args,
        size: Some(size),
        output: Some(problem.output),
    })
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
        Kind::Wasm(Wasm { engine, mode, .. }) => assets.runner(engine).and_then(|runner| {
            let module = assets.program(workload, "wasm")?;
            Ok(Means::Runner {
                runner,
                module,
                mode,
                own: false,
                given: Vec::new(),
            })
        }),
        Kind::Container => assets
            .program(workload, "static")
            .map(|program| Means::Container(Image::Ours(program))),
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
    let given = given(request)?;
    let mut targets = suite::targets(request)?;
    if targets.is_empty() {
        targets = TARGETS
            .into_iter()
            .filter(|target| matches!(target.kind, Kind::Wasm(_)))
            .collect();
    }
    targets
        .into_iter()
        .map(|target| own_module_on(target, request, (module, &given), assets))
        .collect()
}

fn own_module_on(
    target: Target,
    request: &RunRequest,
    (module, given): (&Path, &[String]),
    assets: &Assets,
) -> Result<PlannedCell, PlanError> {
    let Kind::Wasm(Wasm { engine, mode, .. }) = target.kind else {
        return Err(usage(&format!("target {} runs no Wasm modules", target.name)));
    };
    let means = assets.runner(engine).map(|runner| Means::Runner {
        runner,
        module: module.to_owned(),
        mode,
        own: true,
        given: given.to_vec(),
    });
    Ok(PlannedCell {
        target: target.name.to_owned(),
        workload: stem(module),
        args: request.command.clone(),
        size: None,
        output: None,
        means,
    })
}

/// What the caller gives the guest beside its arguments, as flags of a runner.
fn given(request: &RunRequest) -> Result<Vec<String>, PlanError> {
    let mut flags = Vec::new();
    for variable in &request.env {
        match variable.split_once('=') {
            Some((name, _)) if !name.is_empty() => flags.extend(["--env".to_owned(), variable.clone()]),
            _ => return Err(usage(&format!("a variable is NAME=VALUE, not `{variable}`"))),
        }
    }
    for Preopen { host, guest } in &request.dirs {
        if !host.starts_with('/') || host.contains("::") || guest.is_empty() {
            return Err(usage(&format!(
                "a guest's directory is an absolute path without `::`, and has a name: not `{host}` as `{guest}`"
            )));
        }
        flags.extend(["--dir".to_owned(), format!("{host}::{guest}")]);
    }
    Ok(flags)
}

/// A file's name without its ending and without what would confuse a cell's name.
pub(super) fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace(['/', ':'], "_")
}

pub(super) fn utf8(path: &Path) -> Result<&str, PlanError> {
    path.to_str()
        .ok_or_else(|| PlanError::Path(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(env: &[&str], dirs: &[(&str, &str)]) -> RunRequest {
        let dir = |&(host, guest): &(&str, &str)| Preopen {
            host: host.into(),
            guest: guest.into(),
        };
        RunRequest {
            wasm: Some("/m.wasm".into()),
            env: env.iter().map(|variable| (*variable).to_owned()).collect(),
            dirs: dirs.iter().map(dir).collect(),
            runs: 1,
            time_limit_ms: 1,
            memory_limit_mib: 1,
            ..RunRequest::default()
        }
    }

    fn nowhere() -> Assets {
        Assets {
            runners: "/nonexistent".into(),
            workloads: "/nonexistent".into(),
        }
    }

    fn nobody() -> Identity {
        Identity {
            uid: 65534,
            gid: 65534,
            groups: Vec::new(),
        }
    }

    fn ours() -> Inherited {
        Inherited::of_this_thread().unwrap()
    }

    #[test]
    fn what_a_guest_is_given_becomes_the_runners_flags() {
        let flags = given(&with(&["A=b=c", "B="], &[("/data", "data"), ("/x", "/")])).unwrap();
        assert_eq!(
            flags,
            [
                "--env",
                "A=b=c",
                "--env",
                "B=",
                "--dir",
                "/data::data",
                "--dir",
                "/x::/"
            ]
        );
    }

    #[test]
    fn what_a_runner_would_misread_is_refused() {
        for (env, dirs) in [
            (&["A"][..], &[][..]),
            (&["=b"], &[]),
            (&[], &[("data", "data")]),
            (&[], &[("/a::b", "c")]),
            (&[], &[("/a", "")]),
        ] {
            assert!(given(&with(env, dirs)).is_err(), "{env:?} {dirs:?} was taken");
        }
        let without_module = RunRequest {
            wasm: None,
            command: vec!["/bin/true".into()],
            ..with(&[], &[("/a", "a")])
        };
        assert!(Plan::new(without_module, nobody(), ours(), &nowhere()).is_err());
    }

    #[test]
    fn a_module_goes_to_every_wasm_target_and_one_that_is_missing_stops_none() {
        let plan = Plan::new(with(&[], &[]), nobody(), ours(), &nowhere()).unwrap();
        assert_eq!(
            plan.cells.len(),
            TARGETS.len() - 3,
            "all but the native ones and docker"
        );
        for cell in &plan.cells {
            let Err(why) = &cell.means else {
                panic!("{} is there", cell.target);
            };
            assert!(why.why.contains("wbd-runner-"), "{why:?}");
        }
    }
}
