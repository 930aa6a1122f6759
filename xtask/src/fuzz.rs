//! `cargo xtask fuzz`: what wbd reads that others wrote, given to libFuzzer.
//!
//! The compiler's flags are those of `cargo fuzz` without a sanitizer: the readers are safe Rust, and so stable does.
//! With nightly, `cargo fuzz run TARGET fuzz/corpus/TARGET fuzz/seeds/TARGET` works as well. What a fuzzer finds out
//! is kept in the build directory for its next run; an input that broke something belongs into `fuzz/seeds`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::cargo::{Job, executable};
use crate::dist::{list, make_dir};
use crate::progress;
use crate::shell;
use crate::tree::Tree;

/// What makes a program tell the fuzzer which ways it went, and which numbers it compared.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
/// What one input may take: more is a hang, or an attack on the daemon's memory.
const BOUNDS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=512"];

/// What to fuzz.
#[derive(Args)]
pub(crate) struct Options {
    /// How long each target is fuzzed
    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u32,
    /// These targets alone, by their files in `fuzz/fuzz_targets`
    targets: Vec<String>,
}

/// How far a target is fuzzed.
#[derive(Clone, Copy)]
enum Extent {
    /// For so many seconds, on from what was found out before.
    Seconds(u32),
    /// The seeds and so many inputs made of them, the same each time.
    Inputs(u32),
}

/// Inputs of each target in a test: some seconds of them.
const TESTED: u32 = 200_000;

/// Fuzzes one target after the other.
pub(crate) fn run(tree: &Tree, options: &Options) -> Result<()> {
    let targets = chosen(tree, &options.targets)?;
    let failed = fuzz(tree, &targets, Extent::Seconds(options.seconds))?
        .iter()
        .filter(|outcome| outcome.is_err())
        .count();
    ensure!(
        failed == 0,
        "{failed} targets failed; what broke them is told above"
    );
    Ok(())
}

/// Gives each target its seeds and their nearest relatives; the outcome of each.
pub(crate) fn test(tree: &Tree) -> Result<Vec<Result<()>>> {
    fuzz(tree, &chosen(tree, &[])?, Extent::Inputs(TESTED))
}

/// The outcome of each target.
fn fuzz(tree: &Tree, targets: &[String], extent: Extent) -> Result<Vec<Result<()>>> {
    let made = build(tree)?;
    let outcome = |name: &String| {
        let outcome = one(tree, executable(&made, name)?, name, extent);
        match &outcome {
            Ok(inputs) => progress::line(format!("fuzz {name}: {inputs} inputs, none broke it")),
            Err(error) => progress::line(format!("fuzz {name}: {error:#}")),
        }
        outcome.map(drop)
    };
    Ok(targets.iter().map(outcome).collect())
}

fn chosen(tree: &Tree, named: &[String]) -> Result<Vec<String>> {
    let files = list(&tree.root.join("fuzz/fuzz_targets"))?;
    let name = |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut all: Vec<_> = files.iter().filter_map(name).collect();
    all.sort_unstable();
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        bail!("no target is called `{unknown}`; there are: {}", all.join(", "));
    }
    Ok(if named.is_empty() { all } else { named.to_vec() })
}

/// For a target triple by name, so that build scripts and macros are compiled as usual.
fn build(tree: &Tree) -> Result<Vec<PathBuf>> {
    let triple = format!("--target={}-unknown-linux-gnu", std::env::consts::ARCH);
    let job = Job {
        title: "fuzz targets",
        command: &["build", "--release", &triple],
        packages: &[],
        edges: "normal,build",
        environment: &[
            ("CARGO_TARGET_DIR", folder(tree).into()),
            ("RUSTFLAGS", OsString::from(FLAGS)),
        ],
    };
    job.run(&tree.root.join("fuzz"))
}

fn folder(tree: &Tree) -> PathBuf {
    tree.target.join("fuzz")
}

/// Fuzzes one target; returns how many inputs it was given.
fn one(tree: &Tree, program: &Path, name: &str, extent: Extent) -> Result<u64> {
    let place = |kind: &str| folder(tree).join(kind).join(name);
    let (broken, log) = (place("broken"), place("logs"));
    let (corpus, bounds) = match extent {
        Extent::Seconds(seconds) => (place("corpus"), vec![format!("-max_total_time={seconds}")]),
        Extent::Inputs(inputs) => {
            let found = place("tested");
            remove(&found)?; // or it would go on where it ended
            (found, vec![format!("-runs={inputs}"), "-seed=1".to_owned()])
        }
    };
    for folder in [&corpus, &broken, &folder(tree).join("logs")] {
        make_dir(folder)?;
    }
    let mut command = Command::new(program);
    command
        .arg(format!("-artifact_prefix={}/", broken.display()))
        .args(BOUNDS)
        .args(["-print_final_stats=1", "-max_len=16384"])
        .args(bounds)
        .arg(&corpus)
        .arg(tree.root.join("fuzz/seeds").join(name));
    let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stderr(file);
    let outcome = shell::run(&mut command);
    let said = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    if let Err(error) = outcome {
        return Err(error)
            .with_context(|| format!("{}\nthe whole of it is in {}", end_of(&said), log.display()));
    }
    inputs(&said).with_context(|| format!("it was given no input; see {}", log.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// What is worth reading of a log that ends with a failure.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.starts_with('#')).collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

fn inputs(log: &str) -> Option<u64> {
    let number = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    number?.trim().parse().ok().filter(|inputs| *inputs > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_inputs_is_read_from_the_log() {
        let log = "#2 INITED cov: 1\nDone 12 runs in 1 second(s)\nstat::number_of_executed_units: 12\n";
        assert_eq!(inputs(log), Some(12));
        assert_eq!(inputs("stat::number_of_executed_units: 0\n"), None);
        assert_eq!(inputs("#2 INITED"), None);
    }

    #[test]
    fn every_target_has_seeds_and_is_told_to_cargo() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let targets = list(&root.join("fuzz_targets")).unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            let name = target.file_stem().unwrap().to_str().unwrap();
            assert!(
                manifest.contains(&format!("name = \"{name}\"")),
                "{name} is not in Cargo.toml"
            );
            let seeds = list(&root.join("seeds").join(name)).unwrap();
            assert!(!seeds.is_empty(), "{name} has no seeds");
        }
    }
}
