//! A cell that is a container from an image of somebody else's, as `docker run IMAGE` would have it.

use wbd_model::RunRequest;

use super::plan::{Image, Means, PlanError, PlannedCell, usage};

/// Most characters of a reference; Docker takes 255 of the name, beside a registry, a tag and a digest.
const LONGEST: usize = 512;

/// A container from the image of this reference. What follows it is what the container runs in place of the image's command.
pub(super) fn planned(request: &RunRequest, reference: &str) -> Result<PlannedCell, PlanError> {
    let is_alone = request.targets.is_empty()
        && request.workloads.is_empty()
        && request.suite.is_none()
        && request.wasm.is_none()
        && request.dirs.is_empty();
    if !is_alone {
        return Err(usage(
            "an image runs by itself: leave out targets, workloads, modules and directories",
        ));
    }
    if reference.is_empty() || reference.len() > LONGEST || !reference.chars().all(|c| c.is_ascii_graphic()) {
        return Err(usage(
            "an image is named as `docker run` takes it, such as `alpine:3.20`",
        ));
    }
    Ok(PlannedCell {
        target: "docker".to_owned(),
        workload: name(reference),
        args: request.command.clone(),
        size: None,
        output: None,
        means: Ok(Means::Container(Image::Named(reference.to_owned()))),
    })
}

/// The image's name and tag, without registry, digest and what would confuse a cell's name.
fn name(reference: &str) -> String {
    let without_digest = reference.split('@').next().unwrap_or(reference);
    let last = without_digest.rsplit('/').next().unwrap_or(without_digest);
    last.replace(':', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> RunRequest {
        RunRequest {
            command: vec!["echo".into(), "hello".into()],
            ..RunRequest::default()
        }
    }

    #[test]
    fn a_cell_is_named_after_the_image_and_its_tag() {
        for (reference, expected) in [
            ("alpine", "alpine"),
            ("localhost:5000/team/tool:1.2", "tool_1.2"),
            ("nginx@sha256:0123", "nginx"),
        ] {
            let planned = planned(&request(), reference).unwrap();
            assert_eq!((planned.workload.as_str(), planned.args.len()), (expected, 2));
        }
    }

    #[test]
    fn what_is_no_reference_or_comes_with_something_else_is_refused() {
        for reference in ["", "two words", "tab\t", &"x".repeat(600)] {
            assert!(planned(&request(), reference).is_err(), "{reference:?} was taken");
        }
        let with_target = RunRequest {
            targets: vec!["native".into()],
            ..request()
        };
        assert!(planned(&with_target, "alpine").is_err());
    }
}
