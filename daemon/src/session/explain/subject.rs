//! One cell, made ready to be run again and again.

use wbd_model::profile::Profile;
use wbd_model::{Cell, InstantName, Metric, Sample};

use crate::collect::diagnosis::assemble::{Assembled, assemble};
use crate::collect::diagnosis::looks::Looks;
use crate::collect::sample::{self, Expected};
use crate::launch::process::{Launcher, MeansError};
use crate::session::cancel::Cancel;
use crate::session::experiment::{ExperimentError, attach, document};
use crate::session::laboratory::Laboratory;
use crate::session::news::News;
use crate::session::plan::{Means, Plan};
use crate::session::prepare::{How, ReadyCell, containers, prepare, why_nothing};
use crate::session::runs::limits;
use crate::targets::catalogue::Mode;

/// Has a runner name its guest's functions.
const PERF_MAP: &str = "--perf-map";

/// A cell ready to run.
pub(super) struct Subject {
    plan: Plan,
    launcher: Launcher,
    ready: ReadyCell,
    runs: u32,
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
        let nothing = |why: String| Err(ExperimentError::NothingToRun(why));
        if matches!(
            plan.cells[0].means,
            Ok(Means::Container { .. } | Means::Client(_))
        ) {
            return nothing(
                "what runs in a container cannot be explained yet: its processes are not this daemon's"
                    .to_owned(),
            );
        }
        let mut cells: Vec<Cell> = plan.cells.iter().map(|cell| document(cell, &plan)).collect();
        let containers = containers(&plan, &laboratory.instance);
        let ready = prepare(laboratory, &plan, &containers, &mut cells, news);
        attach(&mut laboratory.kernel, &plan, &ready)?;
        let Some(ready) = ready.into_iter().next() else {
            return nothing(why_nothing(&cells));
        };
        Ok(Self {
            plan,
            launcher: Launcher::new()?,
            ready,
            runs: 0,
        })
    }

    /// What is run, to be changed.
    pub(super) fn how(&mut self) -> &mut How {
        &mut self.ready.how
    }

    /// The wall time of one run without probes, in nanoseconds.
    pub(super) fn wall(
        &mut self,
        laboratory: &mut Laboratory,
        cancel: &Cancel,
    ) -> Result<u64, ExperimentError> {
        let made = self.run(laboratory, cancel)?;
        let wall = made.metrics.get(&Metric::Wall).copied();
        wall.filter(|_| made.valid).ok_or_else(|| {
            let cell = &self.plan.cells[0];
            let why = made.notes.first().map_or("it has no wall time", String::as_str);
            ExperimentError::NothingToRun(format!(
                "a run of {}/{} does not count, so there is nothing to explain: {why}",
                cell.target, cell.workload
            ))
        })
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
        let guest = made.instants.get(&InstantName::Guest).map(|guest| guest.ns);
        let Assembled { profile, warnings } = assemble(&counts, &seen, guest, &self.plan.caller);
        Ok((profile, warnings))
    }

    fn run(&mut self, laboratory: &mut Laboratory, cancel: &Cancel) -> Result<Sample, ExperimentError> {
        let plan = &self.plan;
        let How::Process { program, guest } = &self.ready.how else {
            return Err(ExperimentError::NothingToRun(
                "a container cannot be run so".to_owned(),
            ));
        };
        if let Some(cold) = &self.ready.cold {
            cold.drop_all();
        }
        let limits = limits(plan, &laboratory.allowance);
        let Laboratory { kernel, slot, .. } = laboratory;
        slot.limit_memory(limits.memory_bytes);
        let observed = self.launcher.run(kernel, slot, program, limits, cancel)?;
        let expected = Expected {
            output: plan.cells[self.ready.index].output.as_ref(),
            guest: *guest,
        };
        self.runs += 1;
        Ok(sample::of_process(observed, &expected, self.runs, self.runs))
    }
}
