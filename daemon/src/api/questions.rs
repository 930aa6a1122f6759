//! What an explanation is to be made of: two cells from the store, each with a plan to run it again.

use tonic::Status;
use wbd_analysis::compare::{self, Side};
use wbd_linux::gate::Identity;
use wbd_linux::inherited::Inherited;
use wbd_model::request::ExplainRequest;
use wbd_model::{Cell, CellRef, RunRequest};

use super::answers::with_runs;
use super::status::{no_experiment, of_plan, of_store};
use crate::session::explain::Asked;
use crate::session::plan::Plan;
use crate::store::Reader;
use crate::targets::assets::Assets;

/// Both cells, to be run again as the caller.
///
/// # Errors
///
/// There is no such cell, or it is another user's: his command would run with the caller's rights.
pub(super) fn asked(
    reader: &Reader,
    request: &ExplainRequest,
    caller: &Identity,
    inherited: &Inherited,
    assets: &Assets,
) -> Result<[Asked; 2], Status> {
    let one = |name: &CellRef| -> Result<Asked, Status> {
        let experiment = with_runs(reader, &name.experiment)?;
        let side = Side {
            name,
            experiment: &experiment,
        };
        let (cell, document) =
            compare::one(&side).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let stored = reader
            .request(&cell.experiment)
            .map_err(|error| of_store(&error))?;
        let (asked, owner) = stored.ok_or_else(|| no_experiment(&cell.experiment))?;
        if owner != caller.uid {
            return Err(Status::permission_denied(format!(
                "experiment {} is of user {owner}: explaining it would run that user's programs with your rights; ask as that user",
                cell.experiment
            )));
        }
        let plan = Plan::new(alone(asked, document), caller.clone(), inherited.clone(), assets);
        Ok(Asked {
            plan: plan.map_err(|error| of_plan(&error))?,
            recorded: document.samples.clone(),
            cell,
        })
    };
    Ok([one(&request.a)?, one(&request.b)?])
}

/// A request for one cell of those that were asked for.
fn alone(asked: RunRequest, cell: &Cell) -> RunRequest {
    let is_command = asked.targets.is_empty() && asked.suite.is_none() && asked.wasm.is_none();
    let by_workload = !is_command && asked.wasm.is_none();
    RunRequest {
        targets: if is_command {
            Vec::new()
        } else {
            vec![cell.target.clone()]
        },
        workloads: if by_workload {
            vec![cell.workload.clone()]
        } else {
            Vec::new()
        },
        size: cell.size.unwrap_or(asked.size),
        suite: None,
        runs: 1,
        until: None,
        warmup: 0,
        ..asked
    }
}
