//! What there is to run, and why something is not available.

use wbd_model::host::Unavailable;
use wbd_model::request::{TargetList, WorkloadList};

use super::table::{left, plain, table};

/// The targets, then the mends of those that are not available.
pub(crate) fn targets(list: &TargetList) -> String {
    let rows = list.targets.iter().map(|target| {
        let version = target.version.clone().unwrap_or_default();
        vec![
            target.name.clone(),
            state(target.unavailable.as_ref()),
            version,
            target.about.clone(),
        ]
    });
    let headings = [left("target"), left("state"), left("version"), left("what it is")];
    let missing = list
        .targets
        .iter()
        .map(|target| (target.name.as_str(), target.unavailable.as_ref()));
    table(&headings, rows.collect()) + &mends(missing)
}

/// The workloads, then the mends of those that are not available.
pub(crate) fn workloads(list: &WorkloadList) -> String {
    let rows = list.workloads.iter().map(|workload| {
        let arguments = [workload.quick.join(" "), workload.seed.join(" ")];
        let [quick, seed] = arguments;
        vec![
            workload.name.clone(),
            state(workload.unavailable.as_ref()),
            quick,
            seed,
            workload.about.clone(),
        ]
    });
    let headings = [
        left("workload"),
        left("state"),
        left("quick"),
        left("seed"),
        left("what it does"),
    ];
    let missing = list
        .workloads
        .iter()
        .map(|workload| (workload.name.as_str(), workload.unavailable.as_ref()));
    table(&headings, rows.collect()) + &mends(missing)
}

fn state(unavailable: Option<&Unavailable>) -> String {
    if unavailable.is_some() {
        "unavailable"
    } else {
        "ready"
    }
    .to_owned()
}

fn mends<'a>(all: impl Iterator<Item = (&'a str, Option<&'a Unavailable>)>) -> String {
    let missing = all.filter_map(|(name, unavailable)| Some((name, unavailable?)));
    missing
        .map(|(name, Unavailable { why, mend })| {
            format!(
                "\n{} is unavailable: {}\n  -> {}\n",
                plain(name),
                plain(why),
                plain(mend)
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use wbd_model::host::{TargetInfo, WorkloadInfo};

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
            version: Some("1.2".into()),
            unavailable,
        };
        let drawn = targets(&TargetList {
            targets: vec![target("native", None), target("docker", missing())],
        });
        println!("{drawn}");
        assert!(drawn.contains("docker is unavailable: no engine runs\n  -> start dockerd"));
        assert!(!drawn.contains("native is unavailable"));
    }

    #[test]
    fn a_workload_shows_its_arguments_at_both_sizes() {
        let workload = WorkloadInfo {
            name: "fasta".into(),
            about: "writes sequences".into(),
            quick: vec!["250000".into()],
            seed: vec!["2500000".into()],
            unavailable: missing(),
        };
        let drawn = workloads(&WorkloadList {
            workloads: vec![workload],
        });
        println!("{drawn}");
        assert!(drawn.contains("250000  2500000  writes sequences"));
        assert!(drawn.contains("fasta is unavailable"));
    }
}
