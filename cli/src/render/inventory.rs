//! What there is to run, and why something is not available.

use wbd_model::Unit;
use wbd_model::host::{TargetInfo, Unavailable};
use wbd_model::request::{TargetList, WorkloadList};

use super::table::{left, plain, right, table};
use super::units::figure;

/// The targets, where their engines come from, then the mends of those that are not available.
pub(crate) fn targets(list: &TargetList) -> String {
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    let rows = list.targets.iter().map(|target| {
        vec![
            target.name.clone(),
            state(target.unavailable.as_ref()),
            version(target),
            word(&target.mode),
            word(&target.backend),
            size(target.bytes),
        ]
    });
    let headings = ["target", "state", "version", "mode", "backend"].map(left);
    let headings: Vec<_> = headings.into_iter().chain([right("size")]).collect();
    let missing = list
        .targets
        .iter()
        .map(|target| (target.name.as_str(), target.unavailable.as_ref()));
    table(&headings, rows.collect()) + &origins(&list.targets) + &mends(missing)
}

/// A version's first part: a container engine names those of its parts as well, which are in the document.
fn version(target: &TargetInfo) -> String {
    let version = target.version.as_deref().unwrap_or_default();
    version.split(", ").next().unwrap_or_default().to_owned()
}

/// One line for each engine: its targets, and where it is; of what has none, what it is.
fn origins(targets: &[TargetInfo]) -> String {
    let mut from: Vec<(&str, Vec<&str>)> = Vec::new();
    for target in targets.iter().filter(|target| target.unavailable.is_none()) {
        let origin = target.from.as_deref().unwrap_or(&target.about);
        match from.last_mut() {
            Some((last, names)) if *last == origin => names.push(&target.name),
            _ => from.push((origin, vec![&target.name])),
        }
    }
    let line =
        |(origin, names): &(&str, Vec<&str>)| format!("{}: {}\n", plain(&names.join(", ")), plain(origin));
    let lines: String = from.iter().map(line).collect();
    format!(
        "\nsize is the engine's: its runner and the libraries installed beside it, which are here\n{lines}"
    )
}

/// The workloads, then the mends of those that are not available.
pub(crate) fn workloads(list: &WorkloadList) -> String {
    let rows = list.workloads.iter().map(|workload| {
        let arguments = [&workload.small, &workload.quick, &workload.seed].map(|size| size.join(" "));
        let sizes = ["static", "wasm"].map(|kind| size(workload.bytes.get(kind).copied()));
        let first = [workload.name.clone(), state(workload.unavailable.as_ref())];
        let all = first.into_iter().chain(arguments).chain(sizes);
        all.chain([workload.about.clone()]).collect()
    });
    let names = ["workload", "state", "small", "quick", "seed"].map(left);
    let sizes = ["native", "module"].map(right);
    let headings: Vec<_> = names
        .into_iter()
        .chain(sizes)
        .chain([left("what it does")])
        .collect();
    let missing = list
        .workloads
        .iter()
        .map(|workload| (workload.name.as_str(), workload.unavailable.as_ref()));
    let note = "\nnative is the static program, and all that its container's image holds\n";
    table(&headings, rows.collect()) + note + &variants(list) + &mends(missing)
}

/// One line for each variant of a workload.
fn variants(list: &WorkloadList) -> String {
    let all = list.workloads.iter().flat_map(|workload| &workload.variants);
    all.map(|(name, about)| format!("also {name}: {about}\n"))
        .collect()
}

fn size(bytes: Option<u64>) -> String {
    bytes.map(|bytes| figure(bytes, Unit::Bytes)).unwrap_or_default()
}

fn state(unavailable: Option<&Unavailable>) -> String {
    if unavailable.is_some() {
        "unavailable"
    } else {
        "ready"
    }
    .to_owned()
}

/// Each reason once, with all whose reason it is.
fn mends<'a>(all: impl Iterator<Item = (&'a str, Option<&'a Unavailable>)>) -> String {
    let mut reasons: Vec<(&Unavailable, Vec<&str>)> = Vec::new();
    for (name, unavailable) in all {
        let Some(why) = unavailable else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name),
            None => reasons.push((why, vec![name])),
        }
    }
    let said = reasons.into_iter().map(|(Unavailable { why, mend }, names)| {
        let verb = if names.len() == 1 { "is" } else { "are" };
        let [names, why, mend] = [&names.join(", "), why, mend].map(|text| plain(text));
        format!("\n{names} {verb} unavailable: {why}\n  -> {mend}\n")
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use wbd_model::host::WorkloadInfo;

    use super::*;

    fn missing() -> Option<Unavailable> {
        Some(Unavailable {
            why: "no engine runs".into(),
            mend: "start dockerd".into(),
        })
    }

    #[test]
    fn a_target_that_is_not_available_says_why_and_how_to_get_it() {
        let target = |name: &str, unavailable| TargetInfo {
            name: name.into(),
            about: format!("about {name}"),
            unavailable,
            ..TargetInfo::default()
        };
        let drawn = targets(&TargetList {
            targets: vec![target("native", None), target("docker", missing())],
        });
        println!("{drawn}");
        assert!(drawn.contains("docker is unavailable: no engine runs\n  -> start dockerd"));
        assert!(!drawn.contains("native is unavailable"));
    }

    #[test]
    fn targets_of_one_engine_share_one_line_of_its_origin_and_one_reason() {
        let there = |name: &str, mode: &str| TargetInfo {
            name: name.into(),
            version: Some("Engine 1.2, part 3".into()),
            mode: Some(mode.into()),
            backend: Some("llvm".into()),
            from: Some("/lib/runner".into()),
            bytes: Some(18 << 20),
            ..TargetInfo::default()
        };
        let gone = |name: &str| TargetInfo {
            name: name.into(),
            unavailable: missing(),
            ..TargetInfo::default()
        };
        let bare = TargetInfo {
            name: "plain".into(),
            about: "the program itself".into(),
            ..TargetInfo::default()
        };
        let drawn = targets(&TargetList {
            targets: vec![
                bare,
                there("x-jit", "jit"),
                there("x-aot", "aot"),
                gone("y"),
                gone("z"),
            ],
        });
        println!("{drawn}");
        assert!(
            drawn.contains("x-jit   ready        Engine 1.2  jit   llvm     18.0 MiB"),
            "{drawn}"
        );
        assert!(drawn.contains("\nx-jit, x-aot: /lib/runner\n"), "{drawn}");
        assert!(
            drawn.contains("\ny, z are unavailable: no engine runs\n"),
            "{drawn}"
        );
    }

    #[test]
    fn a_workload_shows_its_arguments_at_all_sizes_and_its_own_size() {
        let workload = WorkloadInfo {
            name: "fasta".into(),
            about: "writes sequences".into(),
            small: vec!["12500".into()],
            quick: vec!["250000".into()],
            bytes: [("wasm".to_owned(), 2048)].into(),
            seed: vec!["2500000".into()],
            variants: [("fasta-line".to_owned(), "each line a system call".to_owned())].into(),
            unavailable: missing(),
        };
        let drawn = workloads(&WorkloadList {
            workloads: vec![workload],
        });
        println!("{drawn}");
        assert!(
            drawn.contains("12500  250000  2500000          2.00 KiB  writes sequences"),
            "{drawn}"
        );
        assert!(
            drawn.contains("\nalso fasta-line: each line a system call\n"),
            "{drawn}"
        );
        assert!(drawn.contains("fasta is unavailable"));
    }
}
