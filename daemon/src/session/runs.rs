//! The runs themselves: shuffled, made one by one, each recorded before the next.

use std::borrow::Cow;
use std::time::Duration;

use wbd_linux::gate::Program;
use wbd_model::document::State;
use wbd_model::{Exit, Progress, Sample};

use super::cancel::Cancel;
use super::cold::ColdFiles;
use super::experiment::ExperimentError;
use super::laboratory::Laboratory;
use super::news::News;
use super::plan::Plan;
use super::prepare::{Containers, How, ReadyCell};
use super::summary::Seen;
use super::until::Precision;
use super::{cold, conditions};
use crate::allowance::Allowance;
use crate::collect::sample::{self, Expected, Guest};
use crate::launch::container::{self, Contained};
use crate::launch::process::Limits;
use crate::store::{Recording, Writer};
use crate::targets::catalogue;

/// Bytes of a mebibyte.
const MIB: u64 = 1024 * 1024;

/// The runs of an experiment under way.
pub(super) struct Runs<'a> {
    pub(super) laboratory: &'a mut Laboratory,
    pub(super) plan: &'a Plan,
    pub(super) containers: Option<Containers>,
    pub(super) ready: Vec<ReadyCell>,
    pub(super) seed: u64,
    pub(super) failed: u32,
    /// Bytes that the caller's experiments take of the store.
    pub(super) stored: u64,
    /// What was seen of each of the plan's cells.
    pub(super) seen: Vec<Seen>,
    /// Rounds made, warm-ups left out.
    pub(super) rounds: u32,
    /// What is told of the experiment's end.
    pub(super) ended: Option<String>,
}

impl Runs<'_> {
    /// Makes all runs, warm-ups first, in shuffled rounds.
    pub(super) fn make(
        &mut self,
        writer: &mut Writer,
        recording: &Recording,
        news: &mut News,
        cancel: &Cancel,
    ) -> Result<State, ExperimentError> {
        let request = &self.plan.request;
        let rounds = request.warmup.saturating_add(request.runs);
        let order = wbd_analysis::order::shuffled_rounds(self.ready.len(), rounds, self.seed);
        let total = u32::try_from(order.len()).unwrap_or(u32::MAX);
        let memory_bytes = request.memory_limit_mib.saturating_mul(MIB);
        self.laboratory.slot.limit_memory(memory_bytes);
        news.send(Progress::Started {
            experiment: recording.name(),
            runs: total,
        });
        let warmups = self.ready.len() as u32 * request.warmup;
        let mut precision = request.until.map(|until| Precision::new(until, self.ready.len()));
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
                self.stored += writer.record(recording, index, &made)?;
                self.laboratory
                    .allowance
                    .check_disk(self.plan.caller.uid, self.stored)?;
                self.failed += u32::from(!made.valid);
                self.seen[index].take(&made);
                if let Some(precision) = &mut precision {
                    precision.add(cell, &made);
                }
            }
            news.ran(place + 1, self.failed);
            let round_is_full = (place as usize + 1).is_multiple_of(self.ready.len());
            if round_is_full
                && round >= request.warmup
                && self.enough(round - request.warmup + 1, &mut precision)
            {
                return Ok(State::Done);
            }
        }
        self.ended = precision.map(|precision| precision.missed(self.rounds));
        Ok(State::Done)
    }

    /// Whether no more are needed after so many rounds.
    fn enough(&mut self, rounds: u32, precision: &mut Option<Precision>) -> bool {
        self.rounds = rounds;
        self.ended = precision.as_mut().and_then(|precision| precision.reached(rounds));
        self.ended.is_some()
    }

    fn one(&mut self, cell: usize, run: u32, order: u32, cancel: &Cancel) -> Result<Sample, ExperimentError> {
        let ready = &self.ready[cell];
        let limits = limits(self.plan, &self.laboratory.allowance);
        let output = self.plan.cells[ready.index].output.as_ref();
        let Laboratory {
            launcher,
            kernel,
            slot,
            instance,
            ..
        } = &mut *self.laboratory;
        match (&ready.how, &self.containers) {
            (How::Process { program, guest }, _) => {
                let stay = ready.cold.as_ref().map(ColdFiles::drop_all).unwrap_or_default();
                let program = padded(self.plan, program, self.seed, order);
                let observed = launcher.run(kernel, slot, &program, limits, cancel)?;
                let expected = Expected {
                    output,
                    guest: *guest,
                };
                let mut made = sample::of_process(observed, &expected, run, order);
                if !stay.is_empty() {
                    made.notes.push(cold::staying(&stay));
                }
                made.notes
                    .extend(meaning(&self.plan.cells[ready.index].target, &made.exit));
                Ok(made)
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
                Ok(crate::collect::container::sample(
                    observed, requests, &used, &expected, run, order,
                ))
            }
            (How::Container { .. }, None) => unreachable!("a container was made ready without an engine"),
        }
    }
}

fn meaning(target: &str, exit: &Exit) -> Option<String> {
    let Exit::Signal(signal) = exit else { return None };
    catalogue::meaning_of_end(target, *signal).map(str::to_owned)
}

/// What bounds each run of a plan.
pub(super) fn limits(plan: &Plan, allowance: &Allowance) -> Limits {
    Limits {
        time: Duration::from_millis(plan.request.time_limit_ms),
        output_bytes: allowance.output_bytes(),
        memory_bytes: plan.request.memory_limit_mib.saturating_mul(MIB),
    }
}

fn padded<'a>(plan: &Plan, program: &'a Program, seed: u64, order: u32) -> Cow<'a, Program> {
    if plan.request.conditions.env_padding {
        Cow::Owned(conditions::padded(program, seed, order))
    } else {
        Cow::Borrowed(program)
    }
}
