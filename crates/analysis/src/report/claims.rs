//! What is said of Wasm, answered by ratios of medians and their intervals.
//!
//! Evidence holds where the whole interval meets the claim, fails where the whole interval misses it, and is
//! undecided where it does both. No tolerance is added: these are questions about this machine, not about the
//! study's.

use wbd_model::Metric;
use wbd_model::report::{Claim, Evidence, Ratio, Verdict};

use super::cells::{CellGroup, Cells};
use super::startup;
use super::study::{DOCKER, NATIVE, WORKLOADS};

/// A claim, and how it is put to the test.
struct Spec {
    name: &'static str,
    claim: &'static str,
    /// What the study found.
    study: &'static str,
    /// Which workloads tell.
    workloads: Workloads,
    /// Which figures tell; none: the size on disk does.
    metrics: &'static [Metric],
    /// The targets whose figures are divided, the first by the second.
    pairs: &'static [(&'static str, &'static str)],
    /// What the ratio must be.
    holds: Bounds,
    /// How much of the evidence must say so.
    quorum: Quorum,
}

#[derive(Clone, Copy)]
enum Workloads {
    /// The program that does nothing.
    Empty,
    /// The study's six.
    Six,
    /// One.
    One(&'static str),
}

/// From the least ratio to the largest with which a claim holds, both included.
type Bounds = [f64; 2];

#[derive(Clone, Copy)]
enum Quorum {
    All,
    Most,
}

const WASMEDGE_AOT: &str = "wasmedge-aot";
const WASMTIME_JIT: &str = "wasmtime-jit";
const WASMTIME_AOT: &str = "wasmtime-aot";
const WASMER_JIT: &str = "wasmer-cranelift-jit";
const WASMER_AOT: &str = "wasmer-cranelift-aot";

const fn at_least(ratio: f64) -> Bounds {
    [ratio, f64::INFINITY]
}

const CLAIMS: [Spec; 11] = [
    Spec {
        name: "start-100x-wasmedge",
        claim: "WasmEdge starts 100 times faster than a container",
        study: "credible: less than 0.01 s against 0.58 s, which is more than 58 times",
        workloads: Workloads::Empty,
        metrics: &[Metric::Startup, Metric::Wall],
        pairs: &[(DOCKER, WASMEDGE_AOT)],
        holds: at_least(100.0),
        quorum: Quorum::All,
    },
    Spec {
        name: "start-100x-others",
        claim: "WebAssembly, whatever the runtime, starts 100 times faster than a container",
        study: "quoted, and looked into with WasmEdge alone",
        workloads: Workloads::Empty,
        metrics: &[Metric::Startup],
        pairs: &[
            (DOCKER, WASMTIME_JIT),
            (DOCKER, WASMTIME_AOT),
            (DOCKER, WASMER_JIT),
            (DOCKER, WASMER_AOT),
        ],
        holds: at_least(100.0),
        quorum: Quorum::All,
    },
    Spec {
        name: "faster-20-percent",
        claim: "WasmEdge is 20 % faster than a container, the start included",
        study: "about right: 7.07 s against 8.54 s with binarytree, 1.21 times as fast",
        workloads: Workloads::Six,
        metrics: &[Metric::Wall],
        pairs: &[(DOCKER, WASMEDGE_AOT)],
        holds: at_least(1.2),
        quorum: Quorum::All,
    },
    Spec {
        name: "faster-20-percent-code",
        claim: "WasmEdge is 20 % faster than a container, from the first instruction of the code on",
        study: "not looked into: its times hold the start",
        workloads: Workloads::Six,
        metrics: &[Metric::Execution],
        pairs: &[(DOCKER, WASMEDGE_AOT)],
        holds: at_least(1.2),
        quorum: Quorum::All,
    },
    Spec {
        name: "faster-10-to-50-percent",
        claim: "WebAssembly is 10 to 50 % faster than a container at execution",
        study: "about right with WasmEdge and binarytree, the start included: 21 %",
        workloads: Workloads::Six,
        metrics: &[Metric::Wall],
        pairs: &[(DOCKER, WASMEDGE_AOT)],
        holds: [1.1, 1.5],
        quorum: Quorum::All,
    },
    Spec {
        name: "wasmedge-aot-near-native",
        claim: "WasmEdge with code compiled before is nearly as fast as the native program, with most programs",
        study: "so with most: 1.00 to 1.19 times the native time with four of six, 1.33 and 1.51 with two (x86-64)",
        workloads: Workloads::Six,
        metrics: &[Metric::Wall],
        pairs: &[(WASMEDGE_AOT, NATIVE)],
        holds: [0.0, 1.2],
        quorum: Quorum::Most,
    },
    Spec {
        name: "wasmer-fasta-tenfold",
        claim: "Wasmer takes ten times as long as other runtimes with fasta",
        study: "so, it says; its figures are 4.3 to 4.9 times on x86-64 and 10.8 to 12.4 times on aarch64",
        workloads: Workloads::One("fasta"),
        metrics: &[Metric::Wall],
        pairs: &[
            (WASMER_JIT, WASMTIME_JIT),
            (WASMER_AOT, WASMTIME_AOT),
            (WASMER_AOT, WASMEDGE_AOT),
        ],
        holds: at_least(10.0),
        quorum: Quorum::All,
    },
    Spec {
        name: "jit-like-aot",
        claim: "Wasmer and Wasmtime take about as long with code compiled in every run as with code compiled before",
        study: "so: 0.99 to 1.03 times as long (x86-64)",
        workloads: Workloads::Six,
        metrics: &[Metric::Wall],
        pairs: &[(WASMER_JIT, WASMER_AOT), (WASMTIME_JIT, WASMTIME_AOT)],
        holds: [0.8, 1.25],
        quorum: Quorum::All,
    },
    Spec {
        name: "wasmedge-interpreter-10x",
        claim: "WasmEdge interprets more than ten times as slowly as it runs code compiled before",
        study: "so: more than 100 s against 4.41 s and 6.83 s (x86-64)",
        workloads: Workloads::Six,
        metrics: &[Metric::Wall],
        pairs: &[("wasmedge-interp", WASMEDGE_AOT)],
        holds: at_least(10.0),
        quorum: Quorum::All,
    },
    Spec {
        name: "memory-order",
        claim: "Of the runtimes Wasmtime takes the least memory, then WasmEdge, then Wasmer, with code compiled before",
        study: "so on x86-64; on aarch64 WasmEdge takes the most",
        workloads: Workloads::Six,
        metrics: &[Metric::RssPeak],
        pairs: &[(WASMEDGE_AOT, WASMTIME_AOT), (WASMER_AOT, WASMEDGE_AOT)],
        holds: at_least(1.0),
        quorum: Quorum::All,
    },
    Spec {
        name: "size-1-percent",
        claim: "A WasmEdge application is a hundredth of the size of a similar container's",
        study: "quoted, not looked into",
        workloads: Workloads::Six,
        metrics: &[],
        pairs: &[(DOCKER, WASMEDGE_AOT)],
        holds: at_least(100.0),
        quorum: Quorum::All,
    },
];

/// Every claim, answered as far as the cells can tell.
pub(super) fn answers(cells: &Cells<'_>) -> Vec<Claim> {
    CLAIMS.iter().map(|spec| answer(spec, cells)).collect()
}

fn answer(spec: &Spec, cells: &Cells<'_>) -> Claim {
    let (mut evidence, mut missing) = (Vec::new(), Vec::new());
    for workload in workloads(spec.workloads, cells) {
        for &metric in spec.metrics {
            for &(over, under) in spec.pairs {
                match seen(cells, workload, metric, (over, under), spec.holds) {
                    Some(seen) => evidence.push(seen),
                    None => note_missing(&mut missing, cells, workload, metric, [over, under]),
                }
            }
        }
    }
    if spec.metrics.is_empty() {
        for workload in workloads(spec.workloads, cells) {
            evidence.extend(
                spec.pairs
                    .iter()
                    .filter_map(|&pair| on_disk(cells, workload, pair, spec.holds)),
            );
        }
        if evidence.is_empty() {
            missing.push("of no workload both a module with its engine and an image were there".to_owned());
        }
    }
    Claim {
        name: spec.name.to_owned(),
        claim: spec.claim.to_owned(),
        study: spec.study.to_owned(),
        test: test(spec),
        verdict: verdict(spec.quorum, &evidence),
        evidence,
        missing,
    }
}

fn workloads<'a>(which: Workloads, cells: &Cells<'a>) -> Vec<&'a str> {
    match which {
        Workloads::Empty => vec![startup::group(cells).map_or(startup::EMPTY, |group| group.workload)],
        Workloads::Six => WORKLOADS.to_vec(),
        Workloads::One(name) => vec![name],
    }
}

/// The ratio of two targets, from the largest size at which both were measured.
fn seen(
    cells: &Cells<'_>,
    workload: &str,
    metric: Metric,
    (over, under): (&str, &str),
    holds: Bounds,
) -> Option<Evidence> {
    let ratio_in = |group: &CellGroup<'_>| Some((group.args.to_vec(), group.ratio(metric, over, under)?));
    let (args, ratio) = match startup::group(cells) {
        Some(start) if start.workload == workload && metric == Metric::Startup => ratio_in(start)?,
        _ => cells.of(workload).find_map(ratio_in)?,
    };
    Some(Evidence {
        workload: workload.to_owned(),
        args,
        metric: Some(metric),
        over: over.to_owned(),
        under: under.to_owned(),
        ratio,
        verdict: judge(&ratio, holds),
    })
}

/// The bytes that two targets take on disk, program and engine together. They are no sample: their interval is they.
fn on_disk(
    cells: &Cells<'_>,
    workload: &str,
    (over, under): (&str, &str),
    holds: Bounds,
) -> Option<Evidence> {
    let bytes = |group: &CellGroup<'_>, target: &str| {
        let disk = group.cell(target)?.disk?;
        Some((disk.program + disk.engine.unwrap_or(0)) as f64)
    };
    let ratio_in = |group: &CellGroup<'_>| {
        let value = bytes(group, over)? / bytes(group, under)?;
        let ci95 = [value; 2];
        Some((group.args.to_vec(), Ratio { value, ci95 }))
    };
    let (args, ratio) = cells.of(workload).find_map(ratio_in)?;
    Some(Evidence {
        workload: workload.to_owned(),
        args,
        metric: None,
        over: over.to_owned(),
        under: under.to_owned(),
        verdict: judge(&ratio, holds),
        ratio,
    })
}

/// Says once what keeps a ratio from being made.
fn note_missing(
    missing: &mut Vec<String>,
    cells: &Cells<'_>,
    workload: &str,
    metric: Metric,
    pair: [&str; 2],
) {
    let has = |target: &str| {
        cells
            .of(workload)
            .any(|group| group.ratio(metric, target, target).is_some())
    };
    let absent: Vec<&str> = pair.into_iter().filter(|target| !has(target)).collect();
    let said = match absent[..] {
        [] => format!(
            "{} and {} were not measured with the same arguments of {workload}",
            pair[0], pair[1]
        ),
        [one, ..] if !cells.targets.contains(&one) => format!("{one} was not measured"),
        [one, ..] => format!("there is no {metric} of {one} with {workload}"),
    };
    if !missing.contains(&said) {
        missing.push(said);
    }
}

fn judge(ratio: &Ratio, [least, most]: Bounds) -> Verdict {
    let [low, high] = ratio.ci95;
    if low >= least && high <= most {
        Verdict::Holds
    } else if high < least || low > most {
        Verdict::Fails
    } else {
        Verdict::Undecided
    }
}

fn verdict(quorum: Quorum, evidence: &[Evidence]) -> Verdict {
    let count = |verdict| evidence.iter().filter(|seen| seen.verdict == verdict).count();
    let (all, holds, fails) = (evidence.len(), count(Verdict::Holds), count(Verdict::Fails));
    match quorum {
        _ if all == 0 => Verdict::Unanswered,
        Quorum::All if holds == all => Verdict::Holds,
        Quorum::All if fails > 0 && holds > 0 => Verdict::Partly,
        Quorum::All if fails > 0 => Verdict::Fails,
        Quorum::Most if 2 * holds > all => Verdict::Holds,
        Quorum::Most if 2 * fails >= all => Verdict::Fails,
        _ => Verdict::Undecided,
    }
}

fn test(spec: &Spec) -> String {
    let [least, most] = spec.holds;
    let ratio = match (least > 0.0, most.is_finite()) {
        (true, true) => format!("a ratio of {least} to {most}"),
        (true, false) => format!("a ratio of at least {least}"),
        _ => format!("a ratio of at most {most}"),
    };
    match spec.quorum {
        Quorum::All => ratio,
        Quorum::Most => format!("{ratio} in more than half of the cases"),
    }
}
