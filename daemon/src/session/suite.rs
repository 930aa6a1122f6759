//! Which targets run which workloads at which size: the names of a request, or a suite's.

use wbd_model::{RunRequest, Size, Suite};

use super::plan::{PlanError, usage};
use crate::targets::assets::Assets;
use crate::targets::catalogue::{self, Kind, Mode, TARGETS, Target, Wasm};
use crate::targets::workloads;

/// Computes nothing, at every size: an interpreter needs no smaller one of it, and nothing to be compared with.
const WITHOUT_WORK: &str = "empty";

/// A target with a workload at a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) target: Target,
    pub(super) workload: String,
    pub(super) size: Size,
}

/// The targets that `request` names.
pub(super) fn targets(request: &RunRequest) -> Result<Vec<Target>, PlanError> {
    let find = |name: &String| catalogue::find(name).ok_or_else(|| PlanError::Target { name: name.clone() });
    request.targets.iter().map(find).collect()
}

/// The cells that `request` names, workload by workload.
pub(super) fn cells(request: &RunRequest, assets: &Assets) -> Result<Vec<Named>, PlanError> {
    let named = targets(request)?;
    Ok(match request.suite {
        None => {
            let pairs = named.iter().map(|target| (*target, request.size)).collect();
            each(&request.workloads, pairs)
        }
        Some(Suite::Seed) => {
            let targets = or(named, of_the_seed());
            let (idle, working): (Vec<_>, Vec<_>) = or(request.workloads.clone(), workloads::names(assets))
                .into_iter()
                .partition(|name| name == WITHOUT_WORK);
            let at_one_size = targets.iter().map(|target| (*target, request.size)).collect();
            let mut cells = each(&idle, at_one_size);
            cells.extend(each(&working, seed_pairs(targets, request.size)));
            cells
        }
    })
}

fn each(workloads: &[String], pairs: Vec<(Target, Size)>) -> Vec<Named> {
    let cells = workloads.iter().flat_map(|workload| {
        pairs.iter().map(|&(target, size)| Named {
            target,
            workload: workload.clone(),
            size,
        })
    });
    cells.collect()
}

/// What was asked for, or all where nothing was.
fn or<T>(asked: Vec<T>, all: Vec<T>) -> Vec<T> {
    if asked.is_empty() { all } else { asked }
}

fn of_the_seed() -> Vec<Target> {
    let all = TARGETS.into_iter();
    all.filter(|target| target.kind != Kind::Native("dynamic"))
        .collect()
}

/// Interpreters compute the small problem, and so does the native program once more, to compare them with: what
/// takes a compiler seconds takes an interpreter minutes.
fn seed_pairs(targets: Vec<Target>, size: Size) -> Vec<(Target, Size)> {
    let interpreted = targets.iter().any(|target| interprets(*target));
    let mut pairs = Vec::new();
    for target in targets {
        let own = if interprets(target) { Size::Small } else { size };
        pairs.push((target, own));
        let yardstick = target.kind == Kind::Native("static") && interpreted;
        if yardstick && size != Size::Small {
            pairs.push((target, Size::Small));
        }
    }
    pairs
}

fn interprets(target: Target) -> bool {
    matches!(
        target.kind,
        Kind::Wasm(Wasm {
            mode: Mode::Interp,
            ..
        })
    )
}

/// Refuses what a suite leaves no room for.
pub(super) fn check(request: &RunRequest) -> Result<(), PlanError> {
    if request.suite.is_some() && (request.wasm.is_some() || !request.command.is_empty()) {
        return Err(usage(
            "a suite brings its own programs: leave it out, or the module or command",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Workloads by name alone: what is in them does not matter here.
    fn assets(names: &[&str]) -> (tempfile::TempDir, Assets) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("workload.toml"), "").unwrap();
        }
        let assets = Assets {
            runners: folder.path().to_owned(),
            workloads: folder.path().to_owned(),
        };
        (folder, assets)
    }

    fn suite() -> RunRequest {
        RunRequest {
            suite: Some(Suite::Seed),
            ..RunRequest::default()
        }
    }

    fn names(request: &RunRequest) -> Vec<(&'static str, String, Size)> {
        let (_folder, assets) = assets(&["empty", "fasta", "simple"]);
        let cells = cells(request, &assets).unwrap().into_iter();
        cells
            .map(|cell| (cell.target.name, cell.workload, cell.size))
            .collect()
    }

    #[test]
    fn the_seeds_suite_is_sixteen_targets_and_native_twice_with_all_that_computes() {
        let cells = names(&suite());
        assert_eq!(cells.len(), 16 + 2 * (16 + 1));
        assert!(cells.iter().all(|(target, ..)| *target != "native-dynamic"));
        assert_eq!(cells.iter().filter(|cell| cell.1 == "empty").count(), 16);
        let of = |name: &str| -> Vec<Size> {
            let found = cells.iter().filter(|cell| cell.0 == name && cell.1 == "fasta");
            found.map(|cell| cell.2).collect()
        };
        assert_eq!(of("native"), [Size::Quick, Size::Small]);
        assert_eq!([of("wasmtime-jit"), of("docker")], [[Size::Quick], [Size::Quick]]);
        for interpreter in ["wasmedge-interp", "wasmi", "wasm3", "wamr-interp"] {
            assert_eq!(of(interpreter), [Size::Small], "{interpreter}");
        }
    }

    #[test]
    fn names_narrow_a_suite_and_native_is_doubled_only_for_an_interpreter() {
        let narrow = |targets: &[&str], size| {
            names(&RunRequest {
                targets: targets.iter().map(|name| (*name).to_owned()).collect(),
                workloads: vec!["simple".into()],
                size,
                ..suite()
            })
        };
        let simple = |target, size| (target, "simple".to_owned(), size);
        let compiled = narrow(&["native", "docker"], Size::Seed);
        assert_eq!(
            compiled,
            [simple("native", Size::Seed), simple("docker", Size::Seed)]
        );
        let all_small = narrow(&["native", "wasmi"], Size::Small);
        assert_eq!(
            all_small,
            [simple("native", Size::Small), simple("wasmi", Size::Small)]
        );
        let both = narrow(&["native", "wasmi"], Size::Quick);
        assert_eq!(both.len(), 3, "{both:?}");
    }

    #[test]
    fn without_a_suite_an_interpreter_gets_the_size_asked_for() {
        let request = RunRequest {
            targets: vec!["wasmi".into()],
            workloads: vec!["fasta".into()],
            ..RunRequest::default()
        };
        assert_eq!(names(&request), [("wasmi", "fasta".into(), Size::Quick)]);
    }

    #[test]
    fn a_suite_takes_neither_module_nor_command() {
        let module = RunRequest {
            wasm: Some("/a.wasm".into()),
            ..suite()
        };
        let command = RunRequest {
            command: vec!["/bin/true".into()],
            ..suite()
        };
        assert!(check(&module).is_err() && check(&command).is_err() && check(&suite()).is_ok());
    }
}
