//! One cell, made ready to be run again and again.

use std::time::Duration;

use wbd_analysis::explain::Reach;
use wbd_linux::process::read_by_children;
use wbd_model::profile::Profile;
use wbd_model::{Cell, InstantName, Instants, Metric, Sample};

use crate::collect::diagnosis::assemble::{Assembled, Known, assemble};
use crate::collect::diagnosis::looks::Looks;
use crate::collect::diagnosis::reach::Watch;
use crate::collect::sample::{self, Expected, Guest};
use crate::launch::container::{self, Contained};
use crate::launch::process::MeansError;
use crate::session::attach::attach;
use crate::session::cancel::Cancel;
use crate::session::experiment::{ExperimentError, document};
use crate::session::laboratory::Laboratory;
use crate::session::news::News;
use crate::session::plan::{Means, Plan};
use crate::session::prepare::{
    Containers, How, ReadyCell, containers, engine_processes, prepare, why_nothing,
};
use crate::session::runs::limits;
use crate::targets::catalogue::Mode;

/// Has a runner name its guest's functions.
const PERF_MAP: &str = "--perf-map";

/// A cell ready to run.
pub(super) struct Subject {
    plan: Plan,
    /// Processes of a container engine that are followed while it runs.
    followed: Vec<u32>,
    containers: Option<Containers>,
    ready: ReadyCell,
    runs: u32,
}

/// Whether the program of a plan's first cell runs in a container, which others make: it is seen from outside alone.
pub(super) fn is_contained(plan: &Plan) -> bool {
    matches!(
        plan.cells[0].means,
        Ok(Means::Container { .. } | Means::Client(_))
    )
}

impl Subject {
    /// The cell for runs under probes: an engine that compiles is told to name what it compiles.
    pub(super) fn for_probes(
        laboratory: &mut Laboratory,
        plan: &Plan,
        news: &News,
    ) -> Result<Self, ExperimentError> {
        let mut plan = plan.clone();
        if let Ok(Means::Runner {
            mode: Mode::Jit,
            given,
            ..
        }) = &mut plan.cells[0].means
        {
            given.push(PERF_MAP.to_owned());
        }
        Self::new(laboratory, plan, news)
    }

    /// The first cell of a plan.
    pub(super) fn new(laboratory: &mut Laboratory, plan: Plan, news: &News) -> Result<Self, ExperimentError> {
        let mut cells: Vec<Cell> = plan.cells.iter().map(|cell| document(cell, &plan)).collect();
        let containers = containers(&plan, &laboratory.instance);
        let ready = prepare(laboratory, &plan, &containers, &mut cells, news);
        attach(&mut laboratory.kernel, &plan, &ready)?;
        let Some(ready) = ready.into_iter().next() else {
            return Err(ExperimentError::NothingToRun(why_nothing(&cells)));
        };
        let followed = match plan.cells[0].means {
            Ok(Means::Client(_)) => engine_processes(),
            _ => Vec::new(),
        };
        Ok(Self {
            plan,
            followed,
            containers: containers.ok(),
            ready,
            runs: 0,
        })
    }

    /// What is run, to be changed.
    pub(super) fn how(&mut self) -> &mut How {
        &mut self.ready.how
    }

    /// One run without probes, which counts.
    pub(super) fn plain(
        &mut self,
        laboratory: &mut Laboratory,
        cancel: &Cancel,
    ) -> Result<Sample, ExperimentError> {
        let made = self.run(laboratory, cancel)?;
        if made.valid && made.metrics.contains_key(&Metric::Wall) {
            return Ok(made);
        }
        let cell = &self.plan.cells[0];
        let why = made.notes.first().map_or("it has no wall time", String::as_str);
        Err(ExperimentError::NothingToRun(format!(
            "a run of {}/{} does not count, so there is nothing to explain: {why}",
            cell.target, cell.workload
        )))
    }

    /// How much memory a run touches in a moment, if it takes about so long; none where that could not be seen.
    pub(super) fn reach(
        &mut self,
        laboratory: &mut Laboratory,
        expected: Duration,
        cancel: &Cancel,
    ) -> Result<Option<Reach>, ExperimentError> {
        let (cgroup, _) = laboratory.slot.ready().map_err(MeansError::from)?;
        let watch = Watch::begin(cgroup.freezer(), expected).map_err(|source| MeansError::System {
            action: "start a thread",
            source,
        })?;
        let made = self.run(laboratory, cancel);
        let reach = watch.end();
        made.map(|_| reach)
    }

    /// One run under probes, and why functions in it have no names.
    pub(super) fn profile(
        &mut self,
        laboratory: &mut Laboratory,
        cancel: &Cancel,
    ) -> Result<(Profile, Vec<String>), ExperimentError> {
        laboratory.kernel.diagnose()?;
        // Threads are born into the cgroups of the one that makes them: not into a run's.
        laboratory.slot.close().map_err(MeansError::from)?;
        let looks = Looks::begin().map_err(|source| MeansError::System {
            action: "look at the CPUs (perf_event_open)",
            source,
        });
        let read_before = read_by_children();
        let made = looks.map(|looks| {
            let made = self.run(laboratory, cancel);
            (made, looks.end())
        });
        let probes = laboratory.kernel.diagnosed();
        let (made, seen) = made?;
        let made = made?;
        let counts = probes
            .map(|probes| probes.read())
            .transpose()?
            .unwrap_or_default();
        let known = Known {
            disk_read_bytes: read_by_children().saturating_sub(read_before),
            ..self.known(&made.instants)
        };
        let Assembled { profile, warnings } = assemble(&counts, &seen, &known);
        Ok((profile, warnings))
    }

    fn known(&self, instants: &Instants) -> Known<'_> {
        let at = |name| instants.get(&name).map(|instant| instant.ns);
        let compiles = matches!(
            self.plan.cells[0].means,
            Ok(Means::Runner { mode: Mode::Jit, .. })
        );
        let making = at(InstantName::EngineReady).zip(at(InstantName::ModuleReady));
        Known {
            guest_ns: at(InstantName::Guest),
            compiling: making.filter(|_| compiles).map(|(begin, end)| begin..end),
            disk_read_bytes: 0,
            caller: &self.plan.caller,
        }
    }

    fn run(&mut self, laboratory: &mut Laboratory, cancel: &Cancel) -> Result<Sample, ExperimentError> {
        self.runs += 1;
        if let Some(cold) = &self.ready.cold {
            cold.drop_all();
        }
        let limits = limits(&self.plan, &laboratory.allowance);
        let output = self.plan.cells[self.ready.index].output.as_ref();
        let Laboratory {
            launcher,
            kernel,
            slot,
            instance,
            ..
        } = laboratory;
        launcher.follow(self.followed.clone());
        slot.limit_memory(limits.memory_bytes);
        match (&self.ready.how, &self.containers) {
            (How::Process { program, guest }, _) => {
                let observed = launcher.run(kernel, slot, program, limits, cancel)?;
                let expected = Expected {
                    output,
                    guest: *guest,
                };
                Ok(sample::of_process(observed, &expected, self.runs, self.runs))
            }
            (How::Container { image, args }, Some(Containers { runtime, engine })) => {
                let contained = Contained {
                    image,
                    args,
                    caller: &self.plan.caller,
                    cpus: &self.plan.request.conditions.cpus,
                };
                let tools = (launcher, kernel, slot);
                let (observed, requests, used) =
                    container::run(tools, (runtime, engine, instance), &contained, limits, cancel)?;
                let expected = Expected {
                    output,
                    guest: Guest::Entry,
                };
                let (run, order) = (self.runs, self.runs);
                let made =
                    crate::collect::container::sample(observed, requests, &used, &expected, run, order);
                Ok(made)
            }
            (How::Container { .. }, None) => unreachable!("a container was made ready without an engine"),
        }
    }
}
