//! The conditions that targets run under: the caller's own, and what the request chose in their place.

use std::ffi::CString;
use std::io;

use wbd_analysis::order;
use wbd_linux::gate::Program;
use wbd_linux::inherited::{Changes, CpuMask, Inherited};
use wbd_model::request::Conditions;

use super::plan::{Means, Plan, PlanError, usage};

/// Name of the variable that makes an environment longer.
const PADDING_NAME: &str = "WBD_PADDING";

/// Refuses CPUs that are not there.
pub(super) fn check(conditions: &Conditions) -> Result<(), PlanError> {
    if conditions.cpus.is_empty() {
        return Ok(());
    }
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let online = wbd_model::cpus::parse(online.trim()).unwrap_or_default();
    match conditions.cpus.iter().find(|cpu| !online.contains(cpu)) {
        Some(cpu) => Err(usage(&format!(
            "CPU {cpu} is not online; there are: {}",
            wbd_model::cpus::text(&online)
        ))),
        None => Ok(()),
    }
}

/// What is to change for children of this thread, which launches the targets.
pub(super) fn changes(plan: &Plan) -> io::Result<Changes> {
    let mut changes = plan.inherited.changes_from(&Inherited::of_this_thread()?);
    let chosen = &plan.request.conditions;
    if !chosen.cpus.is_empty() {
        changes.pin(CpuMask::of(&chosen.cpus));
    }
    if chosen.fixed_addresses {
        changes.fix_addresses();
    }
    Ok(changes)
}

/// The program with an environment of this run's own length: always the same for the same seed and place.
pub(super) fn padded(program: &Program, seed: u64, place: u32) -> Program {
    let padding = "x".repeat(order::padding_bytes(seed, place));
    let variable = CString::new(format!("{PADDING_NAME}={padding}"));
    program.clone().and_variable(variable.unwrap_or_default())
}

/// What a reader of the figures should know of the conditions, where they are not the usual ones.
pub(super) fn sentences(plan: &Plan) -> Vec<String> {
    let chosen = &plan.request.conditions;
    let Ok(own) = Inherited::of_this_thread() else {
        return Vec::new(); // then nothing was launched either
    };
    let (nice, cpus) = (plan.inherited.nice(), plan.inherited.cpus());
    let contained = plan
        .cells
        .iter()
        .any(|cell| matches!(cell.means, Ok(Means::Container { .. })));
    let mut said = Vec::new();
    if !chosen.cpus.is_empty() {
        said.push(format!(
            "targets ran on CPU {} alone",
            wbd_model::cpus::text(&chosen.cpus)
        ));
    } else if cpus != own.cpus() {
        let cpus = wbd_model::cpus::text(&cpus.numbers());
        said.push(format!("targets ran on CPU {cpus} alone, as their caller"));
    }
    if nice != own.nice() {
        said.push(format!("targets ran with their caller's nice value, {nice}"));
    }
    if chosen.fixed_addresses {
        said.push("the addresses of targets' memory were not randomised".to_owned());
    }
    if chosen.env_padding {
        said.push(format!(
            "each run's environment had {PADDING_NAME} of a random length"
        ));
    }
    if plan.request.switches {
        said.push(
            "every context switch was recorded, which delays each: hold these figures against no others"
                .to_owned(),
        );
    }
    if contained
        && said
            .iter()
            .any(|sentence| !sentence.starts_with("targets ran on CPU "))
    {
        said.push("containers have none of these settings but the CPUs".to_owned());
    }
    said
}
