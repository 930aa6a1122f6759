//! From the daemon's errors to gRPC's: the client makes its exit code of them.

use tonic::Status;

use crate::allowance::Refusal;
use crate::session::experiment::ExperimentError;
use crate::session::plan::PlanError;
use crate::store::StoreError;

pub(crate) fn of_plan(error: &PlanError) -> Status {
    Status::invalid_argument(error.to_string())
}

pub(crate) fn of_refusal(refusal: &Refusal) -> Status {
    Status::resource_exhausted(refusal.to_string())
}

pub(crate) fn of_store(error: &StoreError) -> Status {
    match error {
        StoreError::Full { .. } => Status::resource_exhausted(error.to_string()),
        _ => Status::internal(error.to_string()),
    }
}

pub(crate) fn of_experiment(error: &ExperimentError) -> Status {
    match error {
        ExperimentError::Store(error) => of_store(error),
        ExperimentError::Refused(refusal) => of_refusal(refusal),
        ExperimentError::NothingToRun(_) => Status::failed_precondition(error.to_string()),
        ExperimentError::Means(_) | ExperimentError::Kernel(_) => Status::internal(error.to_string()),
    }
}

pub(crate) fn no_experiment(name: &str) -> Status {
    Status::not_found(format!("no experiment is called `{name}`; see: wbctl list"))
}
